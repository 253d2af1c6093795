#include "agent/telemetry/nvml_functions.h"

namespace muster::agent {

NvmlFunctions FindNvmlFunctions(const SharedLibrary& library) {
  NvmlFunctions f;
  const auto find = [&]<typename... Functions>(NvmlFunction<Functions>&... functions) {
    ((functions.call = library.Find<Functions>(functions.name)), ...);
  };
  find(f.init, f.shutdown, f.error_string, f.count, f.handle, f.pci_info, f.uuid, f.field_values);
  find(f.temperature, f.temperature_v, f.threshold, f.margin);
  find(f.power, f.enforced_limit, f.default_limit, f.limit_constraints, f.energy, f.performance_state);
  find(f.clock, f.clock_max, f.event_reasons, f.throttle_reasons, f.supported_event_reasons);
  find(f.supported_throttle_reasons, f.violation);
  find(f.utilization, f.encoder, f.decoder, f.jpeg, f.ofa);
  find(f.memory, f.memory_v2, f.bus_width);
  find(f.link_generation, f.link_generation_max, f.link_width, f.link_width_max, f.pcie_throughput, f.pcie_replays);
  find(f.total_ecc, f.memory_errors, f.remapped_rows);
  find(f.link_errors, f.link_state);
  find(f.fan_count, f.fan_percent, f.fan_rpm);
  find(f.compute_processes, f.graphics_processes);
  return f;
}

}  // namespace muster::agent
