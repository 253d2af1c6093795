// The simulated NVML: temperatures, power, clocks, utilization, fans, programs.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/hardware_sim/nvml/call.h"

namespace nvml = muster::sim::nvml;
namespace v1 = muster::v1;
using muster::sim::Call;
using muster::sim::Give;

namespace {

constexpr double kMilli = 1e3;  // Of watts and joules.
constexpr double kMegahertz = 1e-6;
constexpr double kPercent = 100;
constexpr double kNano = 1e9;
constexpr unsigned int kSamplingPeriodUs = 167'000;
constexpr unsigned int kPid = 4711;

// Null for a number that NVML does not have.
const char* NameOf(std::initializer_list<std::pair<int, const char*>> names, int number) {
  for (const auto& [known, name] : names) {
    if (known == number) return name;
  }
  return nullptr;
}

nvml::Return GiveClock(const char* function, nvml::Device device, int type, unsigned int* mhz,
                       v1::TelemetryField field) {
  const char* domain = NameOf({{nvml::kClockGraphics, "graphics"},
                               {nvml::kClockSm, "sm"},
                               {nvml::kClockMemory, "memory"},
                               {nvml::kClockVideo, "video"}},
                              type);
  if (domain == nullptr) return nvml::kInvalidArgument;
  return Give(function, device, mhz, field, {domain}, kMegahertz);
}

nvml::Return GiveEngine(const char* function, nvml::Device device, const char* engine, unsigned int* percent,
                        unsigned int* period_us) {
  if (period_us == nullptr) return nvml::kInvalidArgument;
  *period_us = kSamplingPeriodUs;
  return Give(function, device, percent, v1::UTILIZATION, {engine}, kPercent);
}

constexpr std::pair<const char*, unsigned long long> kReasons[] = {{"idle", nvml::kReasonIdle},
                                                                   {"setting", nvml::kReasonApplicationClocks},
                                                                   {"power", nvml::kReasonSwPowerCap},
                                                                   {"hw_slowdown", nvml::kReasonHwSlowdown},
                                                                   {"sync_boost", nvml::kReasonSyncBoost},
                                                                   {"thermal", nvml::kReasonSwThermal},
                                                                   {"hw_thermal", nvml::kReasonHwThermal},
                                                                   {"hw_power_brake", nvml::kReasonHwPowerBrake},
                                                                   {"current", nvml::kReasonBoardLimit}};

nvml::Return GiveReasons(const char* function, nvml::Device device, unsigned long long* bits, bool supported) {
  if (bits == nullptr) return nvml::kInvalidArgument;
  const Call call(function, device);
  if (call.result() != nvml::kSuccess) return call.result();
  *bits = 0;
  for (const auto& [reason, bit] : kReasons) {
    double value = 0;
    const nvml::Return result = call.Read(v1::THROTTLED, {reason}, value);
    if (result == nvml::kNotSupported) continue;
    if (result != nvml::kSuccess) return result;
    if (supported || value > 0) *bits |= bit;
  }
  return nvml::kSuccess;
}

nvml::Return GiveProcesses(const char* function, nvml::Device device, const char* kind, unsigned int* count,
                           nvml::ProcessInfo* processes) {
  if (count == nullptr) return nvml::kInvalidArgument;
  const Call call(function, device);
  if (call.result() != nvml::kSuccess) return call.result();
  double running = 0;
  if (const nvml::Return result = call.Read(v1::PROCESSES, {kind}, running); result != nvml::kSuccess) return result;
  const unsigned int room = std::exchange(*count, static_cast<unsigned int>(running));
  if (room < *count || (*count > 0 && processes == nullptr)) return nvml::kInsufficientSize;
  double used = 0;
  call.Read(v1::MEMORY_USED, {}, used);
  for (unsigned int i = 0; i < *count; ++i) {
    processes[i] = {.pid = kPid + i,
                    .used_bytes = static_cast<unsigned long long>(used / *count),
                    .gpu_instance = nvml::kNotAvailable,
                    .compute_instance = nvml::kNotAvailable};
  }
  return nvml::kSuccess;
}

}  // namespace

SIMULATED_NVML nvml::Return nvmlDeviceGetTemperature(nvml::Device device, int sensor, unsigned int* celsius) {
  if (sensor != nvml::kSensorGpu) return nvml::kInvalidArgument;
  return Give(__func__, device, celsius, v1::TEMPERATURE, {"core"});
}
SIMULATED_NVML nvml::Return nvmlDeviceGetTemperatureV(nvml::Device device, nvml::Temperature* temperature) {
  if (temperature == nullptr || temperature->sensor != nvml::kSensorGpu) return nvml::kInvalidArgument;
  if (temperature->version != nvml::kTemperatureV1) return nvml::kArgumentVersionMismatch;
  return Give(__func__, device, &temperature->celsius, v1::TEMPERATURE, {"core"});
}
SIMULATED_NVML nvml::Return nvmlDeviceGetTemperatureThreshold(nvml::Device device, int threshold,
                                                              unsigned int* celsius) {
  const char* limit = NameOf({{nvml::kThresholdShutdown, "shutdown"},
                              {nvml::kThresholdSlowdown, "slowdown"},
                              {nvml::kThresholdMemoryMax, "memory_throttle"},
                              {nvml::kThresholdGpuMax, "throttle"}},
                             threshold);
  if (limit == nullptr) return nvml::kInvalidArgument;
  return Give(__func__, device, celsius, v1::TEMPERATURE_LIMIT, {limit});
}

SIMULATED_NVML nvml::Return nvmlDeviceGetPowerUsage(nvml::Device device, unsigned int* mw) {
  return Give(__func__, device, mw, v1::POWER, {"card"}, kMilli);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetEnforcedPowerLimit(nvml::Device device, unsigned int* mw) {
  return Give(__func__, device, mw, v1::POWER_LIMIT, {"enforced"}, kMilli);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetPowerManagementLimit(nvml::Device device, unsigned int* mw) {
  return Give(__func__, device, mw, v1::POWER_LIMIT, {"enforced"}, kMilli);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetPowerManagementDefaultLimit(nvml::Device device, unsigned int* mw) {
  return Give(__func__, device, mw, v1::POWER_LIMIT, {"default"}, kMilli);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetPowerManagementLimitConstraints(nvml::Device device, unsigned int* least,
                                                                         unsigned int* most) {
  const nvml::Return result = Give(__func__, device, least, v1::POWER_LIMIT, {"minimum"}, kMilli);
  return result == nvml::kSuccess ? Give(__func__, device, most, v1::POWER_LIMIT, {"maximum"}, kMilli) : result;
}
SIMULATED_NVML nvml::Return nvmlDeviceGetTotalEnergyConsumption(nvml::Device device, unsigned long long* mj) {
  return Give(__func__, device, mj, v1::ENERGY, {"card"}, kMilli);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetPerformanceState(nvml::Device device, unsigned int* state) {
  return Give(__func__, device, state, v1::PERFORMANCE_STATE, {});
}

SIMULATED_NVML nvml::Return nvmlDeviceGetClockInfo(nvml::Device device, int type, unsigned int* mhz) {
  return GiveClock(__func__, device, type, mhz, v1::CLOCK);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetMaxClockInfo(nvml::Device device, int type, unsigned int* mhz) {
  return GiveClock(__func__, device, type, mhz, v1::CLOCK_MAX);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetCurrentClocksEventReasons(nvml::Device device, unsigned long long* bits) {
  return GiveReasons(__func__, device, bits, false);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetCurrentClocksThrottleReasons(nvml::Device device, unsigned long long* bits) {
  return GiveReasons(__func__, device, bits, false);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetSupportedClocksEventReasons(nvml::Device device, unsigned long long* bits) {
  return GiveReasons(__func__, device, bits, true);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetSupportedClocksThrottleReasons(nvml::Device device, unsigned long long* bits) {
  return GiveReasons(__func__, device, bits, true);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetViolationStatus(nvml::Device device, int policy, nvml::ViolationTime* time) {
  if (time == nullptr) return nvml::kInvalidArgument;
  const char* reason =
      NameOf({{nvml::kPolicyPower, "power"}, {nvml::kPolicyThermal, "thermal"}, {nvml::kPolicySyncBoost, "sync_boost"}},
             policy);
  if (reason == nullptr) return nvml::kNotSupported;
  time->reference_us = 0;
  return Give(__func__, device, &time->violation_ns, v1::THROTTLE_SECONDS, {reason}, kNano);
}

SIMULATED_NVML nvml::Return nvmlDeviceGetUtilizationRates(nvml::Device device, nvml::Utilization* rates) {
  if (rates == nullptr) return nvml::kInvalidArgument;
  const nvml::Return result = Give(__func__, device, &rates->gpu, v1::UTILIZATION, {"gpu"}, kPercent);
  return result == nvml::kSuccess ? Give(__func__, device, &rates->memory, v1::UTILIZATION, {"memory"}, kPercent)
                                  : result;
}
SIMULATED_NVML nvml::Return nvmlDeviceGetEncoderUtilization(nvml::Device device, unsigned int* percent,
                                                            unsigned int* us) {
  return GiveEngine(__func__, device, "encoder", percent, us);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetDecoderUtilization(nvml::Device device, unsigned int* percent,
                                                            unsigned int* us) {
  return GiveEngine(__func__, device, "decoder", percent, us);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetJpgUtilization(nvml::Device device, unsigned int* percent, unsigned int* us) {
  return GiveEngine(__func__, device, "jpeg", percent, us);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetOfaUtilization(nvml::Device device, unsigned int* percent, unsigned int* us) {
  return GiveEngine(__func__, device, "ofa", percent, us);
}

SIMULATED_NVML nvml::Return nvmlDeviceGetFanSpeed_v2(nvml::Device device, unsigned int fan, unsigned int* percent) {
  return Give(__func__, device, percent, v1::FAN_SPEED_RATIO, {absl::StrCat(fan)}, kPercent);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetFanSpeedRPM(nvml::Device device, nvml::FanSpeedInfo* info) {
  if (info == nullptr) return nvml::kInvalidArgument;
  if (info->version != nvml::kFanSpeedInfoV1) return nvml::kArgumentVersionMismatch;
  return Give(__func__, device, &info->rpm, v1::FAN_SPEED_RPM, {absl::StrCat(info->fan)});
}
SIMULATED_NVML nvml::Return nvmlDeviceGetComputeRunningProcesses_v3(nvml::Device device, unsigned int* count,
                                                                    nvml::ProcessInfo* processes) {
  return GiveProcesses(__func__, device, "compute", count, processes);
}
SIMULATED_NVML nvml::Return nvmlDeviceGetGraphicsRunningProcesses_v3(nvml::Device device, unsigned int* count,
                                                                     nvml::ProcessInfo* processes) {
  return GiveProcesses(__func__, device, "graphics", count, processes);
}
