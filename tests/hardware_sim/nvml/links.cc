// The simulated NVML: PCIe, NVLink, and the field values.
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/hardware_sim/nvml/call.h"

namespace nvml = muster::sim::nvml;
namespace v1 = muster::v1;
using muster::sim::Call;
using muster::sim::Give;

namespace {

constexpr double kKilobytes = 1e-3;
constexpr double kMegabytes = 1e-6;
constexpr double kKibibytes = 1.0 / 1024;
constexpr double kMilli = 1e3;
constexpr double kNano = 1e9;
constexpr int kAmpere = 8;
constexpr int kHopper = 9;
constexpr int kBlackwell = 10;

const char* ErrorKindOf(int counter) {
  constexpr const char* kKinds[] = {"replay", "recovery", "crc_flit", "crc_data", "ecc"};
  return counter >= 0 && counter <= nvml::kLinkErrorEccData ? kKinds[counter] : nullptr;
}

// A field of NVML and the reading it is. `label` is the first one; that of links is the field's scope.
struct Field {
  unsigned int id;
  v1::TelemetryField reading;
  const char* label;
  int type = nvml::kValueUlonglong;
  double scale = 1;
  bool of_link = false;
  int since = kAmpere;  // Major compute capability.
};

constexpr Field kFields[] = {
    {nvml::kFieldRetiredSingleBit, v1::RETIRED_PAGES, "single_bit", nvml::kValueUint},
    {nvml::kFieldRetiredDoubleBit, v1::RETIRED_PAGES, "double_bit", nvml::kValueUint},
    {nvml::kFieldRetiredPending, v1::RETIRED_PAGES_PENDING, nullptr, nvml::kValueUint},
    {nvml::kFieldThrottlePowerNs, v1::THROTTLE_SECONDS, "power", nvml::kValueUlonglong, kNano},
    {nvml::kFieldThrottleThermalNs, v1::THROTTLE_SECONDS, "thermal", nvml::kValueUlonglong, kNano},
    {nvml::kFieldThrottleSyncBoostNs, v1::THROTTLE_SECONDS, "sync_boost", nvml::kValueUlonglong, kNano},
    {nvml::kFieldThrottleSwThermalNs, v1::THROTTLE_SECONDS, "thermal", nvml::kValueUlonglong, kNano},
    {nvml::kFieldThrottleHwThermalNs, v1::THROTTLE_SECONDS, "hw_thermal", nvml::kValueUlonglong, kNano},
    {nvml::kFieldThrottlePowerBrakeNs, v1::THROTTLE_SECONDS, "hw_power_brake", nvml::kValueUlonglong, kNano},
    {nvml::kFieldMemoryTemperature, v1::TEMPERATURE, "memory", nvml::kValueUint},
    {nvml::kFieldPcieReceiveBytes, v1::PCIE_BYTES, "receive", nvml::kValueUlonglong, 1, false, kHopper},
    {nvml::kFieldPcieTransmitBytes, v1::PCIE_BYTES, "transmit", nvml::kValueUlonglong, 1, false, kHopper},
    {nvml::kFieldLinkState, v1::LINK_UP, nullptr, nvml::kValueUint, 1, true},
    {nvml::kFieldLinkSpeedMbps, v1::LINK_BANDWIDTH, nullptr, nvml::kValueUint, kMegabytes, true},
    {nvml::kFieldLinkReceiveKib, v1::LINK_BYTES, "receive", nvml::kValueUlonglong, kKibibytes, true},
    {nvml::kFieldLinkTransmitKib, v1::LINK_BYTES, "transmit", nvml::kValueUlonglong, kKibibytes, true},
    {nvml::kFieldLinkReceiveBytes, v1::LINK_BYTES, "receive", nvml::kValueUlonglong, 1, true, kBlackwell},
    {nvml::kFieldLinkTransmitBytes, v1::LINK_BYTES, "transmit", nvml::kValueUlonglong, 1, true, kBlackwell},
    {nvml::kFieldLinkReplays, v1::LINK_ERRORS, "replay", nvml::kValueUlonglong, 1, true},
    {nvml::kFieldLinkRecoveries, v1::LINK_ERRORS, "recovery", nvml::kValueUlonglong, 1, true},
    {nvml::kFieldLinkCrcErrors, v1::LINK_ERRORS, "crc_flit", nvml::kValueUlonglong, 1, true},
};

// 0 when the device has no links: what NVML says of such a one.
void SetUint(unsigned int number, nvml::FieldValue& value) {
  value.type = nvml::kValueUint;
  value.value.as_uint = number;
  value.result = nvml::kSuccess;
}

nvml::Return AnswerReading(const Call& call, const Field& field, nvml::FieldValue& value) {
  if (call.facts().traits.compute_capability_major < field.since) return nvml::kNotSupported;
  std::vector<std::string> labels;
  if (field.of_link) labels.push_back(absl::StrCat(value.scope));
  if (field.label != nullptr) labels.push_back(field.label);
  double number = 0;
  const nvml::Return result = call.Read(field.reading, labels, number);
  if (result != nvml::kSuccess) return result;
  value.type = field.type;
  if (field.type == nvml::kValueUint) {
    value.value.as_uint = static_cast<unsigned int>(std::llround(number * field.scale));
  } else {
    value.value.as_ulonglong = static_cast<unsigned long long>(number * field.scale);
  }
  return nvml::kSuccess;
}

nvml::Return AnswerPower(const Call& call, nvml::FieldValue& value) {
  if (value.scope == nvml::kPowerScopeMemory) return nvml::kNotSupported;
  double watts = 0;
  const nvml::Return result = call.Read(v1::POWER, {"card"}, watts);
  if (result == nvml::kSuccess) SetUint(static_cast<unsigned int>(std::llround(watts * kMilli)), value);
  return result;
}

void Answer(const Call& call, nvml::FieldValue& value) {
  value.timestamp_us =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  value.latency_us = 1;
  value.result = nvml::kNotSupported;
  if (value.field == nvml::kFieldLinkCount) return SetUint(call.facts().model.links(), value);
  if (value.field == nvml::kFieldPowerAverageMw || value.field == nvml::kFieldPowerInstantMw) {
    value.result = AnswerPower(call, value);
    return;
  }
  for (const Field& field : kFields) {
    if (field.id != value.field) continue;
    value.result = AnswerReading(call, field, value);
    return;
  }
}

}  // namespace

SIMULATED_NVML nvml::Return nvmlDeviceGetFieldValues(nvml::Device device, int count, nvml::FieldValue* values) {
  if (count < 0 || values == nullptr) return nvml::kInvalidArgument;
  const Call call(__func__, device);
  if (call.result() != nvml::kSuccess) return call.result();
  for (int i = 0; i < count; ++i) Answer(call, values[i]);
  return nvml::kSuccess;
}

SIMULATED_NVML nvml::Return nvmlDeviceGetCurrPcieLinkGeneration(nvml::Device device, unsigned int* generation) {
  return Give(__func__, device, generation, v1::PCIE_LINK_GENERATION, {});
}
SIMULATED_NVML nvml::Return nvmlDeviceGetMaxPcieLinkGeneration(nvml::Device device, unsigned int* generation) {
  return Give(__func__, device, generation, v1::PCIE_LINK_GENERATION_MAX, {});
}
SIMULATED_NVML nvml::Return nvmlDeviceGetCurrPcieLinkWidth(nvml::Device device, unsigned int* lanes) {
  return Give(__func__, device, lanes, v1::PCIE_LINK_LANES, {});
}
SIMULATED_NVML nvml::Return nvmlDeviceGetMaxPcieLinkWidth(nvml::Device device, unsigned int* lanes) {
  return Give(__func__, device, lanes, v1::PCIE_LINK_LANES_MAX, {});
}
SIMULATED_NVML nvml::Return nvmlDeviceGetPcieThroughput(nvml::Device device, int direction, unsigned int* kilobytes) {
  if (direction != nvml::kPcieTransmit && direction != nvml::kPcieReceive) return nvml::kInvalidArgument;
  const char* label = direction == nvml::kPcieReceive ? "receive" : "transmit";
  return Give(__func__, device, kilobytes, v1::PCIE_THROUGHPUT, {label}, kKilobytes);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetPcieReplayCounter(nvml::Device device, unsigned int* replays) {
  return Give(__func__, device, replays, v1::PCIE_REPLAYS, {});
}

SIMULATED_NVML nvml::Return nvmlDeviceGetNvLinkState(nvml::Device device, unsigned int link, int* active) {
  return Give(__func__, device, active, v1::LINK_UP, {absl::StrCat(link)});
}
SIMULATED_NVML nvml::Return nvmlDeviceGetNvLinkErrorCounter(nvml::Device device, unsigned int link, int counter,
                                                            unsigned long long* errors) {
  const char* kind = ErrorKindOf(counter);
  if (kind == nullptr) return nvml::kInvalidArgument;
  return Give(__func__, device, errors, v1::LINK_ERRORS, {absl::StrCat(link), kind});
}
