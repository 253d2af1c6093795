#include "agent/telemetry/nvml_device.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/telemetry_field.h"

namespace muster::agent {
namespace {

constexpr double kMega = 1e6;
constexpr double kMilli = 1e-3;
constexpr double kPercent = 0.01;
// What takes NVML long, so many turns apart: 20 ms for each direction of PCIe traffic.
constexpr int kTrafficPeriod = 5;

int64_t MonotonicUs() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int64_t UnixMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A share of at most the whole; anything above is none.
NvmlAnswer Share(NvmlAnswer percent) {
  if (percent.has_value() && percent.value > 100) return {.absence = v1::ABSENCE_FAILING};
  return percent;
}

}  // namespace

NvmlDevice::NvmlDevice(const NvmlFunctions& functions, nvml::Device handle, std::string pci_address, std::string uuid,
                       int index, CallMarker& marker)
    : f_(functions),
      pci_address_(std::move(pci_address)),
      uuid_(std::move(uuid)),
      index_(index),
      caller_(functions, handle, pci_address_, marker) {}

v1::DeviceSample NvmlDevice::Sample() {
  v1::DeviceSample sample;
  sample_ = &sample;
  sample.set_pci_address(pci_address_);
  sample.set_uuid(uuid_);
  sample.set_time_unix_ms(UnixMs());
  const int64_t begin_us = MonotonicUs();
  caller_.BeginTurn();
  Temperatures();
  Power();
  Clocks();
  ThrottleReasons();
  Utilizations();
  MemoryUse();
  Pcie();
  EccErrors();
  RemappedRows();
  FieldValues();
  Links();
  Fans();
  Processes();
  TheRest();
  sample.set_duration_us(MonotonicUs() - begin_us);
  sample_ = nullptr;
  return sample;
}

void NvmlDevice::Put(v1::TelemetryField field, Labels labels, const NvmlAnswer& answer, double scale) {
  v1::Reading& reading = *sample_->add_readings();
  reading.set_field(field);
  for (std::string& label : labels) reading.add_labels(std::move(label));
  if (answer.has_value()) {
    // Division by a whole number gives the nearest there is: 69 % are 0.69, not 0.6900000000000001.
    reading.set_value(scale < 1 ? answer.value / std::round(1 / scale) : answer.value * scale);
  } else {
    reading.set_absence(answer.absence);
  }
}

void NvmlDevice::PutTwo(v1::TelemetryField field, Labels first, Labels second, const NvmlAnswer& a, const NvmlAnswer& b,
                        double scale) {
  Put(field, std::move(first), a, scale);
  Put(field, std::move(second), b, scale);
}

void NvmlDevice::Power() {
  Put(v1::POWER, {"card"}, caller_.Now(f_.power), kMilli);
  Put(v1::POWER_LIMIT, {"enforced"}, caller_.Now(f_.enforced_limit), kMilli);
  Put(v1::POWER_LIMIT, {"default"}, caller_.Steady(f_.default_limit), kMilli);
  unsigned int least = 0;
  unsigned int most = 0;
  const v1::Absence absence =
      caller_.Remembering(f_.limit_constraints, 0, [&] { return caller_.Call(f_.limit_constraints, &least, &most); });
  NvmlAnswer minimum{.absence = absence};
  NvmlAnswer maximum{.absence = absence};
  if (minimum.has_value()) {
    minimum = NvmlCaller::Checked(least);
    maximum = NvmlCaller::Checked(most);
  }
  PutTwo(v1::POWER_LIMIT, {"minimum"}, {"maximum"}, minimum, maximum, kMilli);
  Put(v1::ENERGY, {"card"}, caller_.Now<unsigned long long>(f_.energy), kMilli);
  NvmlAnswer state = caller_.Now(f_.performance_state);
  if (state.has_value() && state.value == nvml::kPstateUnknown) state = {.absence = v1::ABSENCE_FAILING};
  Put(v1::PERFORMANCE_STATE, {}, state);
}

void NvmlDevice::Clocks() {
  static constexpr std::pair<const char*, int> kDomains[] = {{"graphics", nvml::kClockGraphics},
                                                             {"sm", nvml::kClockSm},
                                                             {"memory", nvml::kClockMemory},
                                                             {"video", nvml::kClockVideo}};
  NvmlAnswer memory_max;
  for (const auto& [domain, type] : kDomains) {
    Put(v1::CLOCK, {domain}, caller_.Now(f_.clock, type + 1, type), kMega);
    const NvmlAnswer max = caller_.Steady(f_.clock_max, type + 1, type);
    Put(v1::CLOCK_MAX, {domain}, max, kMega);
    if (type == nvml::kClockMemory) memory_max = max;
  }
  // Two bits a clock on every pin, as all of NVIDIA's memory since GDDR5 and HBM2 counts its clock.
  NvmlAnswer bandwidth = caller_.Steady(f_.bus_width);
  if (bandwidth.has_value()) {
    bandwidth = memory_max.has_value() ? NvmlAnswer{.value = bandwidth.value / 8 * 2 * memory_max.value} : memory_max;
  }
  Put(v1::MEMORY_BANDWIDTH_MAX, {}, bandwidth, kMega);
}

void NvmlDevice::ThrottleReasons() {
  static constexpr unsigned long long kNamed =
      nvml::kReasonIdle | nvml::kReasonApplicationClocks | nvml::kReasonSwPowerCap | nvml::kReasonHwSlowdown |
      nvml::kReasonSyncBoost | nvml::kReasonSwThermal | nvml::kReasonHwThermal | nvml::kReasonHwPowerBrake |
      nvml::kReasonDisplayClocks | nvml::kReasonBoardLimit;
  static constexpr std::pair<const char*, unsigned long long> kReasons[] = {
      {"idle", nvml::kReasonIdle},
      {"setting", nvml::kReasonApplicationClocks | nvml::kReasonDisplayClocks},
      {"power", nvml::kReasonSwPowerCap},
      {"hw_slowdown", nvml::kReasonHwSlowdown},
      {"sync_boost", nvml::kReasonSyncBoost},
      {"thermal", nvml::kReasonSwThermal},
      {"hw_thermal", nvml::kReasonHwThermal},
      {"hw_power_brake", nvml::kReasonHwPowerBrake},
      {"current", nvml::kReasonBoardLimit},
      {"other", ~kNamed}};
  // Bits: they go through double whole, NVML has far fewer than 53.
  NvmlAnswer reasons = caller_.Now<unsigned long long>(f_.event_reasons);
  if (!reasons.has_value()) reasons = caller_.Now<unsigned long long>(f_.throttle_reasons);
  NvmlAnswer supported = caller_.Steady<unsigned long long>(f_.supported_event_reasons);
  if (!supported.has_value()) supported = caller_.Steady<unsigned long long>(f_.supported_throttle_reasons);
  const auto now = static_cast<unsigned long long>(reasons.value);
  const auto known = supported.has_value() ? static_cast<unsigned long long>(supported.value) | now : ~0ULL;
  for (const auto& [reason, bits] : kReasons) {
    NvmlAnswer answer = reasons;
    if (answer.has_value()) answer.value = (now & bits) != 0 ? 1 : 0;
    if (answer.has_value() && (known & bits) == 0) answer = {.absence = v1::ABSENCE_UNSUPPORTED};
    Put(v1::THROTTLED, {reason}, answer);
  }
}

void NvmlDevice::Utilizations() {
  nvml::Utilization rates{};
  const v1::Absence absence =
      caller_.Remembering(f_.utilization, 0, [&] { return caller_.Call(f_.utilization, &rates); });
  NvmlAnswer gpu{.absence = absence};
  NvmlAnswer memory{.absence = absence};
  if (gpu.has_value()) {
    gpu = Share(NvmlCaller::Checked(rates.gpu));
    memory = Share(NvmlCaller::Checked(rates.memory));
  }
  PutTwo(v1::UTILIZATION, {"gpu"}, {"memory"}, gpu, memory, kPercent);
  EngineUtilization("encoder", f_.encoder);
  EngineUtilization("decoder", f_.decoder);
  EngineUtilization("jpeg", f_.jpeg);
  EngineUtilization("ofa", f_.ofa);
}

void NvmlDevice::EngineUtilization(const char* engine, const NvmlFunction<nvml::DeviceTwoNumbersFunction>& function) {
  unsigned int percent = 0;
  unsigned int period_us = 0;
  NvmlAnswer answer{.absence =
                        caller_.Remembering(function, 0, [&] { return caller_.Call(function, &percent, &period_us); })};
  if (answer.has_value()) answer = Share(NvmlCaller::Checked(percent));
  Put(v1::UTILIZATION, {engine}, answer, kPercent);
}

void NvmlDevice::MemoryUse() {
  nvml::MemoryV2 memory{.version = nvml::kMemoryV2};
  v1::Absence absence = caller_.Remembering(f_.memory_v2, 0, [&] { return caller_.Call(f_.memory_v2, &memory); });
  v1::Absence reserved_absence = absence;
  if (absence == v1::ABSENCE_UNSUPPORTED) {
    nvml::Memory older{};
    absence = caller_.Remembering(f_.memory, 0, [&] { return caller_.Call(f_.memory, &older); });
    memory.total = older.total;
    memory.free = older.free;
    memory.used = older.used;
  }
  const std::pair<v1::TelemetryField, unsigned long long> parts[] = {
      {v1::MEMORY_SIZE, memory.total}, {v1::MEMORY_USED, memory.used}, {v1::MEMORY_FREE, memory.free}};
  for (const auto& [field, bytes] : parts) {
    Put(field, {}, absence == v1::ABSENCE_UNSPECIFIED ? NvmlCaller::Checked(bytes) : NvmlAnswer{.absence = absence});
  }
  Put(v1::MEMORY_RESERVED, {},
      reserved_absence == v1::ABSENCE_UNSPECIFIED ? NvmlCaller::Checked(memory.reserved)
                                                  : NvmlAnswer{.absence = reserved_absence});
}

void NvmlDevice::Pcie() {
  Put(v1::PCIE_LINK_GENERATION, {}, caller_.Now(f_.link_generation));
  Put(v1::PCIE_LINK_GENERATION_MAX, {}, caller_.Steady(f_.link_generation_max));
  Put(v1::PCIE_LINK_LANES, {}, caller_.Now(f_.link_width));
  Put(v1::PCIE_LINK_LANES_MAX, {}, caller_.Steady(f_.link_width_max));
  Put(v1::PCIE_REPLAYS, {}, caller_.Now(f_.pcie_replays));
  PcieTraffic();
}

// NVML has counters of bytes, too, and they are not used: on an H200 they begin anew at 4 GiB, which is less than a
// tenth of a second's traffic, so neither they nor their differences can be told from nonsense.
void NvmlDevice::PcieTraffic() {
  if (caller_.turn() == 1 || (caller_.turn() + index_) % kTrafficPeriod == 0) {
    receive_ = caller_.Now(f_.pcie_throughput, nvml::kPcieReceive + 1, nvml::kPcieReceive);
    transmit_ = caller_.Now(f_.pcie_throughput, nvml::kPcieTransmit + 1, nvml::kPcieTransmit);
  }
  PutTwo(v1::PCIE_THROUGHPUT, {"receive"}, {"transmit"}, receive_, transmit_, 1e3);
}

void NvmlDevice::EccErrors() {
  static constexpr std::pair<const char*, int> kKinds[] = {{"corrected", nvml::kCorrected},
                                                           {"uncorrected", nvml::kUncorrected}};
  static constexpr std::pair<const char*, int> kLifetimes[] = {{"volatile", nvml::kVolatile},
                                                               {"aggregate", nvml::kAggregate}};
  static constexpr std::pair<const char*, int> kLocations[] = {{"dram", nvml::kLocationDram},
                                                               {"sram", nvml::kLocationSram},
                                                               {"l1", nvml::kLocationL1},
                                                               {"l2", nvml::kLocationL2},
                                                               {"register", nvml::kLocationRegister},
                                                               {"texture", nvml::kLocationTexture},
                                                               {"shared", nvml::kLocationShared},
                                                               {"cbu", nvml::kLocationCbu}};
  for (const auto& [kind, error] : kKinds) {
    for (const auto& [lifetime, counter] : kLifetimes) {
      const uint64_t key = 1 + 2 * error + counter;
      Put(v1::ECC_ERRORS, {kind, "total", lifetime},
          caller_.Now<unsigned long long>(f_.total_ecc, key, error, counter));
      for (const auto& [location, number] : kLocations) {
        Put(v1::ECC_ERRORS, {kind, location, lifetime},
            caller_.Now<unsigned long long>(f_.memory_errors, key + 4 * number, error, counter, number));
      }
    }
  }
}

void NvmlDevice::RemappedRows() {
  unsigned int corrected = 0;
  unsigned int uncorrected = 0;
  unsigned int pending = 0;
  unsigned int failed = 0;
  const v1::Absence absence = caller_.Remembering(
      f_.remapped_rows, 0, [&] { return caller_.Call(f_.remapped_rows, &corrected, &uncorrected, &pending, &failed); });
  const auto answer = [&](unsigned int number) {
    return absence == v1::ABSENCE_UNSPECIFIED ? NvmlCaller::Checked(number) : NvmlAnswer{.absence = absence};
  };
  PutTwo(v1::ROW_REMAPS, {"corrected"}, {"uncorrected"}, answer(corrected), answer(uncorrected), 1);
  Put(v1::ROW_REMAP_PENDING, {}, answer(pending != 0));
  Put(v1::ROW_REMAP_FAILED, {}, answer(failed != 0));
}

void NvmlDevice::FieldValues() {
  static const auto& places = *new std::vector<FieldPlace>{
      {{nvml::kFieldThrottlePowerNs}, v1::THROTTLE_SECONDS, {"power"}, 1e-9},
      {{nvml::kFieldThrottleSwThermalNs}, v1::THROTTLE_SECONDS, {"thermal"}, 1e-9},
      {{nvml::kFieldThrottleHwThermalNs}, v1::THROTTLE_SECONDS, {"hw_thermal"}, 1e-9},
      {{nvml::kFieldThrottlePowerBrakeNs}, v1::THROTTLE_SECONDS, {"hw_power_brake"}, 1e-9},
      {{nvml::kFieldThrottleSyncBoostNs}, v1::THROTTLE_SECONDS, {"sync_boost"}, 1e-9},
      {{nvml::kFieldThrottleBoardLimitNs}, v1::THROTTLE_SECONDS, {"current"}, 1e-9},
      {{nvml::kFieldThrottleLowUtilizationNs}, v1::THROTTLE_SECONDS, {"idle"}, 1e-9},
      {{nvml::kFieldThrottleReliabilityNs}, v1::THROTTLE_SECONDS, {"other"}, 1e-9},
      {{nvml::kFieldMemoryTemperature}, v1::TEMPERATURE, {"memory"}},
      {{nvml::kFieldPowerAverageMw, nvml::kPowerScopeMemory}, v1::POWER, {"memory"}, kMilli},
      {{nvml::kFieldRetiredSingleBit}, v1::RETIRED_PAGES, {"single_bit"}},
      {{nvml::kFieldRetiredDoubleBit}, v1::RETIRED_PAGES, {"double_bit"}},
      {{nvml::kFieldRetiredPending}, v1::RETIRED_PAGES_PENDING, {}},
      {{nvml::kFieldRecoveryAction}, v1::WEDGED, {}},
      // Where there is no time of thermal slowdown by software, the time of all thermal slowdown.
      {{nvml::kFieldThrottleThermalNs}, v1::THROTTLE_SECONDS, {"thermal"}, 1e-9}};
  std::vector<NvmlCaller::Field> fields;
  for (const FieldPlace& place : places) fields.push_back(place.field);
  const std::vector<NvmlAnswer> answers = caller_.AskFields(fields);
  const bool sw_thermal = answers[1].absence != v1::ABSENCE_UNSUPPORTED;
  for (size_t i = 0; i < places.size(); ++i) {
    NvmlAnswer answer = answers[i];
    const unsigned int field = places[i].field.field;
    if (field == nvml::kFieldThrottleThermalNs && sw_thermal) continue;
    if (field == nvml::kFieldThrottleSwThermalNs && !sw_thermal) continue;
    // Of memory without a sensor some drivers say 0.
    if (field == nvml::kFieldMemoryTemperature && answer.has_value() && answer.value == 0) {
      answer = {.absence = v1::ABSENCE_UNSUPPORTED};
    }
    // Only a reset or a reboot makes it work again.
    if (field == nvml::kFieldRecoveryAction && answer.has_value()) {
      answer.value = answer.value == 1 || answer.value == 2 ? 1 : 0;
    }
    Put(places[i].to, places[i].labels, answer, places[i].scale);
  }
}

void NvmlDevice::Fans() {
  constexpr unsigned int kMaxFans = 16;
  const NvmlAnswer count = caller_.Steady(f_.fan_count);
  if (!count.has_value()) {
    PutAbsent(v1::FAN_SPEED_RATIO, {}, count.absence);
    PutAbsent(v1::FAN_SPEED_RPM, {}, count.absence);
    return;
  }
  for (unsigned int fan = 0; fan < std::min(static_cast<unsigned int>(count.value), kMaxFans); ++fan) {
    const std::string number = absl::StrCat(fan);
    Put(v1::FAN_SPEED_RATIO, {number}, caller_.Now(f_.fan_percent, fan + 1, fan), kPercent);
    nvml::FanSpeedInfo info{.version = nvml::kFanSpeedInfoV1, .fan = fan};
    NvmlAnswer rpm{.absence =
                       caller_.Remembering(f_.fan_rpm, fan + 1, [&] { return caller_.Call(f_.fan_rpm, &info); })};
    if (rpm.has_value()) rpm = NvmlCaller::Checked(info.rpm);
    Put(v1::FAN_SPEED_RPM, {number}, rpm);
  }
}

void NvmlDevice::Processes() {
  for (const auto& [kind, function] :
       {std::pair("compute", &f_.compute_processes), std::pair("graphics", &f_.graphics_processes)}) {
    std::array<nvml::ProcessInfo, 64> processes;
    unsigned int count = processes.size();
    NvmlAnswer answer{.absence = caller_.Remembering(*function, 0, [&] {
      const nvml::Return result = caller_.Call(*function, &count, processes.data());
      return result == nvml::kInsufficientSize ? nvml::kSuccess : result;
    })};
    if (answer.has_value()) answer = NvmlCaller::Checked(count);
    Put(v1::PROCESSES, {kind}, answer);
  }
}

void NvmlDevice::TheRest() {
  std::set<int> there;
  for (const v1::Reading& reading : sample_->readings()) there.insert(reading.field());
  for (const base::TelemetryFieldInfo& info : base::TelemetryFields()) {
    if (!there.contains(info.field)) PutAbsent(info.field, {}, v1::ABSENCE_UNSUPPORTED);
  }
}

}  // namespace muster::agent
