// Intel's xpumanager 1: the families of its Prometheus exporter that the agent reads, in its units, with its labels.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/exporter/compat_metrics.h"

namespace muster::agent {
namespace {

using base::MetricType;

constexpr MetricType kGauge = MetricType::kGauge;
constexpr MetricType kCounter = MetricType::kCounter;
constexpr double kToMega = 1e-6;
constexpr std::string_view kEngineGroup = "Utilization of the engine group, as a ratio";
constexpr std::string_view kTemperature = "GPU temperature (in Celsius degree)";
constexpr std::string_view kCacheErrors = "Total number of GPU cache errors";
constexpr std::string_view kNonComputeErrors = "Total number of GPU non-compute errors";

const std::vector<CompatMetric>& Table() {
  static const auto& table = *new std::vector<CompatMetric>{
      {"xpum_engine_ratio", kGauge, "GPU active time of the elapsed time, as a ratio", v1::UTILIZATION, {{"gpu"}}},
      {"xpum_engine_group_ratio", kGauge, kEngineGroup, v1::UTILIZATION, {{"compute"}}, 1, "type=\"compute\""},
      {"xpum_engine_group_ratio", kGauge, kEngineGroup, v1::UTILIZATION, {{"media"}}, 1, "type=\"media\""},
      {"xpum_engine_group_ratio", kGauge, kEngineGroup, v1::UTILIZATION, {{"copy"}}, 1, "type=\"copy\""},
      {"xpum_engine_group_ratio", kGauge, kEngineGroup, v1::UTILIZATION, {{"render"}}, 1, "type=\"render\""},
      {"xpum_power_watts", kGauge, "GPU power (in watts)", v1::POWER, {{"card"}, {"gpu"}}},
      {"xpum_energy_joules_total",
       kCounter,
       "Total GPU energy consumption since boot (in Joules)",
       v1::ENERGY,
       {{"card"}, {"gpu"}}},
      {"xpum_temperature_celsius", kGauge, kTemperature, v1::TEMPERATURE, {{"core"}}, 1, "location=\"gpu\""},
      {"xpum_temperature_celsius", kGauge, kTemperature, v1::TEMPERATURE, {{"memory"}}, 1, "location=\"mem\""},
      {"xpum_frequency_mhz",
       kGauge,
       "GPU frequency (in MHz)",
       v1::CLOCK,
       {{"graphics"}},
       kToMega,
       "location=\"gpu\",type=\"actual\""},
      {"xpum_memory_used_bytes", kGauge, "Used GPU memory (in bytes)", v1::MEMORY_USED, {{}}},
      {"xpum_memory_ratio",
       kGauge,
       "Used GPU memory / total GPU memory, as a ratio",
       v1::MEMORY_USED,
       {{}},
       1,
       "",
       v1::MEMORY_SIZE},
      {"xpum_memory_read_bytes_total", kCounter, "Total memory read bytes", v1::MEMORY_READ_BYTES, {{}}},
      {"xpum_memory_write_bytes_total", kCounter, "Total memory write bytes", v1::MEMORY_WRITTEN_BYTES, {{}}},
      {"xpum_resets_total", kCounter, "Total number of GPU resets", v1::RAS_ERRORS, {{"uncorrected", "reset"}}},
      {"xpum_programming_errors_total",
       kCounter,
       "Total number of GPU programming errors",
       v1::RAS_ERRORS,
       {{"uncorrected", "programming"}}},
      {"xpum_driver_errors_total",
       kCounter,
       "Total number of GPU driver errors",
       v1::RAS_ERRORS,
       {{"uncorrected", "driver"}}},
      {"xpum_cache_errors_total",
       kCounter,
       kCacheErrors,
       v1::RAS_ERRORS,
       {{"corrected", "cache"}},
       1,
       "type=\"correctable\""},
      {"xpum_cache_errors_total",
       kCounter,
       kCacheErrors,
       v1::RAS_ERRORS,
       {{"uncorrected", "cache"}},
       1,
       "type=\"uncorrectable\""},
      {"xpum_non_compute_errors_total",
       kCounter,
       kNonComputeErrors,
       v1::RAS_ERRORS,
       {{"corrected", "non_compute"}},
       1,
       "type=\"correctable\""},
      {"xpum_non_compute_errors_total",
       kCounter,
       kNonComputeErrors,
       v1::RAS_ERRORS,
       {{"uncorrected", "non_compute"}},
       1,
       "type=\"uncorrectable\""},
      {"xpum_pcie_read_bytes_total", kCounter, "Total PCIe read bytes", v1::PCIE_BYTES, {{"receive"}}},
      {"xpum_pcie_write_bytes_total", kCounter, "Total PCIe write bytes", v1::PCIE_BYTES, {{"transmit"}}},
  };
  return table;
}

std::vector<CompatDevice> IntelDevices(const MonitorSnapshot& snapshot, const AgentFacts& facts) {
  std::vector<CompatDevice> devices;
  for (const DeviceSnapshot& seen : snapshot.devices) {
    const v1::Device& device = *seen.device;
    if (device.vendor() != v1::VENDOR_INTEL) continue;
    CompatDevice& added = devices.emplace_back();
    added.snapshot = &seen;
    added.sample = CurrentSample(seen, facts);
    added.labels = base::PrometheusLabels({{"uuid", device.uuid()},
                                           {"dev_name", device.model()},
                                           {"pci_dev", absl::StrCat("0x", absl::Hex(device.pci_device_id()))},
                                           {"vendor", "Intel(R) Corporation"},
                                           {"pci_bdf", device.pci_address()}});
    for (const std::string& node : device.device_nodes()) {
      absl::string_view name = node;
      if (absl::ConsumePrefix(&name, "/dev/dri/") && absl::StartsWith(name, "card")) {
        base::AppendPrometheusLabel(added.labels, "dev_file", std::string_view(name.data(), name.size()));
        break;
      }
    }
    if (device.simulated()) base::AppendPrometheusLabel(added.labels, "simulated", "true");
  }
  return devices;
}

}  // namespace

void AppendXpumMetrics(std::string& out, const MonitorSnapshot& snapshot, const AgentFacts& facts) {
  AppendCompatTable(out, Table(), IntelDevices(snapshot, facts));
}

}  // namespace muster::agent
