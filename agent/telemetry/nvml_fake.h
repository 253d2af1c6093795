// A GPU of NVIDIA's behind NvmlFunctions, for tests: functions answer from one table of numbers, and count their calls.
#ifndef MUSTER_AGENT_TELEMETRY_NVML_FAKE_H_
#define MUSTER_AGENT_TELEMETRY_NVML_FAKE_H_

#include <cstdio>
#include <map>
#include <string>
#include <tuple>

#include "agent/telemetry/nvml_functions.h"

namespace muster::agent {

struct FakeNvml {
  static inline FakeNvml* now = nullptr;
  FakeNvml() { now = this; }
  ~FakeNvml() { now = nullptr; }

  unsigned int devices = 1;
  unsigned int opens = 99;  // The first so many devices.
  // What a function returns in place of success; "" is every function of a device.
  std::map<std::string, nvml::Return> results;
  std::map<std::string, int> calls;
  // By field and scope: value (as unsigned long long), and the result of those that are not there.
  std::map<std::pair<unsigned int, unsigned int>, unsigned long long> fields;
  std::map<std::pair<unsigned int, unsigned int>, nvml::Return> field_results;
  std::map<unsigned int, int> field_types;  // Of those that are no unsigned long long.
  int fields_asked = 0;
  unsigned int power_mw = 76'123;
  int margin = 53;
  unsigned int processes = 2;
  unsigned long long reasons = nvml::kReasonIdle;

  static nvml::Return Told(const char* name) {
    ++now->calls[name];
    if (now->results.contains(name)) return now->results.at(name);
    return now->results.contains("") ? now->results.at("") : nvml::kSuccess;
  }
  template <typename Number, typename Value>
  static nvml::Return Give(const char* name, Number* to, Value value) {
    const nvml::Return result = Told(name);
    if (result == nvml::kSuccess) *to = static_cast<Number>(value);
    return result;
  }
  static nvml::Return GiveFields(int count, nvml::FieldValue* values) {
    const nvml::Return result = Told("nvmlDeviceGetFieldValues");
    for (int i = 0; i < count && result == nvml::kSuccess; ++i) {
      const std::pair key(values[i].field, values[i].scope);
      ++now->fields_asked;
      values[i].type =
          now->field_types.contains(values[i].field) ? now->field_types.at(values[i].field) : nvml::kValueUlonglong;
      values[i].result = now->field_results.contains(key) ? now->field_results.at(key)
                         : now->fields.contains(key)      ? nvml::kSuccess
                                                          : nvml::kNotSupported;
      if (values[i].result == nvml::kSuccess) values[i].value.as_ulonglong = now->fields.at(key);
    }
    return result;
  }

  static NvmlFunctions Functions() {
    using nvml::Device;
    using Big = unsigned long long;
    NvmlFunctions f;
    f.init.call = [] { return Told("nvmlInit_v2"); };
    f.shutdown.call = [] { return Told("nvmlShutdown"); };
    f.error_string.call = [](nvml::Return) { return "a reason"; };
    f.count.call = [](unsigned int* to) { return Give("nvmlDeviceGetCount_v2", to, now->devices); };
    f.handle.call = [](unsigned int index, Device* to) {
      *to = reinterpret_cast<Device>(uintptr_t{index} + 1);
      return index < now->opens ? nvml::kSuccess : nvml::kGpuIsLost;
    };
    f.pci_info.call = [](Device device, nvml::PciInfo* info) {
      std::snprintf(info->bus_id, sizeof(info->bus_id), "00000000:%02X:00.0",
                    0x40 + static_cast<unsigned int>(reinterpret_cast<uintptr_t>(device)));
      return nvml::kSuccess;
    };
    f.uuid.call = [](Device, char* to, unsigned int size) {
      std::snprintf(to, size, "GPU-1-2");
      return nvml::kSuccess;
    };
    f.field_values.call = [](Device, int count, nvml::FieldValue* values) { return GiveFields(count, values); };
    f.temperature.call = [](Device, int, unsigned int* to) { return Give("nvmlDeviceGetTemperature", to, 34); };
    f.threshold.call = [](Device, int kind, unsigned int* to) {
      return Give("nvmlDeviceGetTemperatureThreshold", to, 90 + kind);
    };
    f.margin.call = [](Device, nvml::MarginTemperature* to) {
      if (to->version != nvml::kMarginTemperatureV1) return nvml::kArgumentVersionMismatch;
      return Give("nvmlDeviceGetMarginTemperature", &to->celsius, now->margin);
    };
    f.power.call = [](Device, unsigned int* to) { return Give("nvmlDeviceGetPowerUsage", to, now->power_mw); };
    f.enforced_limit.call = [](Device, unsigned int* to) {
      return Give("nvmlDeviceGetEnforcedPowerLimit", to, 700'000);
    };
    f.limit_constraints.call = [](Device, unsigned int* least, unsigned int* most) {
      *most = 700'000;
      return Give("nvmlDeviceGetPowerManagementLimitConstraints", least, 200'000);
    };
    f.energy.call = [](Device, Big* to) { return Give("nvmlDeviceGetTotalEnergyConsumption", to, 12'345'678ULL); };
    f.performance_state.call = [](Device, unsigned int* to) { return Give("nvmlDeviceGetPerformanceState", to, 0); };
    f.clock.call = [](Device, int kind, unsigned int* to) { return Give("nvmlDeviceGetClockInfo", to, 345 + kind); };
    f.clock_max.call = [](Device, int kind, unsigned int* to) {
      return Give("nvmlDeviceGetMaxClockInfo", to, kind == nvml::kClockMemory ? 3201 : 1980);
    };
    f.bus_width.call = [](Device, unsigned int* to) { return Give("nvmlDeviceGetMemoryBusWidth", to, 6144); };
    f.event_reasons.call = [](Device, Big* to) {
      return Give("nvmlDeviceGetCurrentClocksEventReasons", to, now->reasons);
    };
    f.supported_event_reasons.call = [](Device, Big* to) {
      return Give("nvmlDeviceGetSupportedClocksEventReasons", to, 0xEFULL);
    };
    f.utilization.call = [](Device, nvml::Utilization* to) {
      *to = {.gpu = 69, .memory = 0};
      return Told("nvmlDeviceGetUtilizationRates");
    };
    f.encoder.call = [](Device, unsigned int* percent, unsigned int*) {
      return Give("nvmlDeviceGetEncoderUtilization", percent, 101);
    };
    f.memory_v2.call = [](Device, nvml::MemoryV2* to) {
      if (to->version != nvml::kMemoryV2) return nvml::kArgumentVersionMismatch;
      *to = {.version = to->version, .total = 1000, .reserved = 10, .free = 790, .used = 200};
      return Told("nvmlDeviceGetMemoryInfo_v2");
    };
    f.memory.call = [](Device, nvml::Memory* to) {
      *to = {.total = 1001, .free = 801, .used = 200};
      return Told("nvmlDeviceGetMemoryInfo");
    };
    f.pcie_throughput.call = [](Device, int kind, unsigned int* to) {
      return Give("nvmlDeviceGetPcieThroughput", to, 7 + kind);
    };
    f.pcie_replays.call = [](Device, unsigned int* to) { return Give("nvmlDeviceGetPcieReplayCounter", to, ~0U); };
    f.total_ecc.call = [](Device, int error, int counter, Big* to) {
      return Give("nvmlDeviceGetTotalEccErrors", to, 10 * error + counter);
    };
    f.memory_errors.call = [](Device, int error, int, int location, Big* to) {
      if (location != nvml::kLocationDram) return nvml::kInvalidArgument;
      return Give("nvmlDeviceGetMemoryErrorCounter", to, error);
    };
    f.remapped_rows.call = [](Device, unsigned int* a, unsigned int* b, unsigned int* pending, unsigned int* failed) {
      *b = 2;
      *pending = 1;
      *failed = 0;
      return Give("nvmlDeviceGetRemappedRows", a, 1);
    };
    f.link_errors.call = [](Device, unsigned int link, int counter, Big* to) {
      return Give("nvmlDeviceGetNvLinkErrorCounter", to, 100 * link + counter);
    };
    f.fan_count.call = [](Device, unsigned int* to) { return Give("nvmlDeviceGetNumFans", to, 1); };
    f.fan_percent.call = [](Device, unsigned int, unsigned int* to) {
      return Give("nvmlDeviceGetFanSpeed_v2", to, 33);
    };
    f.compute_processes.call = [](Device, unsigned int* count, nvml::ProcessInfo*) {
      const bool fits = now->processes <= *count;
      *count = now->processes;
      const nvml::Return result = Told("nvmlDeviceGetComputeRunningProcesses_v3");
      return result == nvml::kSuccess && !fits ? nvml::kInsufficientSize : result;
    };
    return f;
  }
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_NVML_FAKE_H_
