// Clocks and what holds them down, engines, and the state of the device as a whole.
#include <cmath>

#include "agent/telemetry/counter_rate.h"
#include "agent/telemetry/sysman_part.h"

namespace muster::agent {
namespace {

// Newer than the oldest headers.
constexpr int kFrequencyMedia = 2;
constexpr uint32_t kThrottledByVoltage = 1u << 7;
constexpr uint32_t kThrottledByHeat = 1u << 8;
constexpr uint32_t kThrottledByPower = 1u << 9;

struct ThrottleReason {
  const char* name;
  uint32_t flags;
};
constexpr ThrottleReason kThrottleReasons[] = {
    {"power",
     ZES_FREQ_THROTTLE_REASON_FLAG_AVE_PWR_CAP | ZES_FREQ_THROTTLE_REASON_FLAG_BURST_PWR_CAP | kThrottledByPower},
    {"thermal", ZES_FREQ_THROTTLE_REASON_FLAG_THERMAL_LIMIT | kThrottledByHeat},
    {"hw_power_brake", ZES_FREQ_THROTTLE_REASON_FLAG_PSU_ALERT},
    {"current", ZES_FREQ_THROTTLE_REASON_FLAG_CURRENT_LIMIT},
    {"setting", ZES_FREQ_THROTTLE_REASON_FLAG_SW_RANGE},
    // Voltage, a slower neighbour on the same clock, and what is newer than this list.
    {"other", ~uint32_t{(ZES_FREQ_THROTTLE_REASON_FLAG_HW_RANGE - 1) | kThrottledByHeat | kThrottledByPower}},
};
static_assert((kThrottledByVoltage & kThrottleReasons[5].flags) != 0);

class FrequencyPart final : public SysmanPart {
 public:
  explicit FrequencyPart(SysmanDevice& device)
      : SysmanPart(device, {v1::CLOCK, v1::CLOCK_MAX, v1::THROTTLED, v1::THROTTLE_SECONDS}) {}

 private:
  struct Domain {
    zes_freq_handle_t handle = nullptr;
    std::string name;
    int rank = kCardRank;
    double max_mhz = -1;
    SysmanMemo state;
    SysmanMemo throttle_time;
  };

  Missing Enumerate() override {
    domains_.clear();
    std::vector<zes_freq_handle_t> handles;
    if (Missing missing = device_.List(MUSTER_SYSMAN(device_, zesDeviceEnumFrequencyDomains), handles)) return missing;
    for (zes_freq_handle_t handle : handles) {
      zes_freq_properties_t properties = {};
      properties.stype = ZES_STRUCTURE_TYPE_FREQ_PROPERTIES;
      SysmanMemo memo;
      const Missing missing = device_.Ask(memo, MUSTER_SYSMAN(device_, zesFrequencyGetProperties), handle, &properties);
      if (missing == v1::ABSENCE_UNSUPPORTED) continue;
      if (missing) return missing;
      const int type = properties.type;
      if (type != ZES_FREQ_DOMAIN_GPU && type != ZES_FREQ_DOMAIN_MEMORY && type != kFrequencyMedia) continue;
      domains_.push_back({.handle = handle,
                          .name = type == ZES_FREQ_DOMAIN_GPU      ? "graphics"
                                  : type == ZES_FREQ_DOMAIN_MEMORY ? "memory"
                                                                   : "media",
                          .rank = properties.onSubdevice ? kTileRank : kCardRank,
                          .max_mhz = properties.max});
    }
    return domains_.empty() ? Missing(v1::ABSENCE_UNSUPPORTED) : std::nullopt;
  }

  void ReadParts(TileReadings& readings) override {
    for (Domain& domain : domains_) {
      zes_freq_state_t state = {};
      state.stype = ZES_STRUCTURE_TYPE_FREQ_STATE;
      const Missing missing =
          device_.Ask(domain.state, MUSTER_SYSMAN(device_, zesFrequencyGetState), domain.handle, &state);
      PutClock(domain, readings, v1::CLOCK, state.actual, missing);
      PutClock(domain, readings, v1::CLOCK_MAX, domain.max_mhz > 0 ? domain.max_mhz : -1, std::nullopt);
      if (domain.name != "graphics") continue;
      for (const ThrottleReason& reason : kThrottleReasons) {
        if (missing) {
          readings.Absent(domain.rank, v1::THROTTLED, {reason.name}, *missing);
        } else {
          const bool throttled = (state.throttleReasons & reason.flags) != 0;
          readings.Value(domain.rank, v1::THROTTLED, {reason.name}, Combine::kMax, throttled ? 1 : 0);
        }
      }
      ReadThrottleTime(domain, readings);
    }
  }

  // A negative frequency is "not known"; 0 is a clock that stands.
  static void PutClock(const Domain& domain, TileReadings& readings, v1::TelemetryField field, double mhz,
                       Missing missing) {
    if (missing || mhz < 0) {
      readings.Absent(domain.rank, field, {domain.name}, missing.value_or(v1::ABSENCE_UNSUPPORTED));
    } else {
      readings.Value(domain.rank, field, {domain.name}, Combine::kMax, mhz * 1e6);
    }
  }

  void ReadThrottleTime(Domain& domain, TileReadings& readings) {
    zes_freq_throttle_time_t time = {};
    const Missing missing =
        device_.Ask(domain.throttle_time, MUSTER_SYSMAN(device_, zesFrequencyGetThrottleTime), domain.handle, &time);
    if (missing || time.throttleTime == UINT64_MAX) {
      readings.Absent(domain.rank, v1::THROTTLE_SECONDS, {"any"}, missing.value_or(v1::ABSENCE_UNSUPPORTED));
    } else {
      readings.Value(domain.rank, v1::THROTTLE_SECONDS, {"any"}, Combine::kMax,
                     static_cast<double>(time.throttleTime) / 1e6);
    }
  }

  std::vector<Domain> domains_;
};

class StatePart final : public SysmanPart {
 public:
  explicit StatePart(SysmanDevice& device) : SysmanPart(device, {v1::WEDGED, v1::PROCESSES}) {}

 private:
  static constexpr uint32_t kMaxProcesses = 4096;

  Missing Enumerate() override { return std::nullopt; }

  void ReadParts(TileReadings& readings) override {
    zes_device_state_t state = {};
    state.stype = ZES_STRUCTURE_TYPE_DEVICE_STATE;
    if (Missing missing = device_.Ask(state_, MUSTER_SYSMAN(device_, zesDeviceGetState), device_.handle, &state)) {
      readings.Absent(kCardRank, v1::WEDGED, {}, *missing);
    } else {
      const bool wedged = (state.reset & ZES_RESET_REASON_FLAG_WEDGED) != 0;
      readings.Value(kCardRank, v1::WEDGED, {}, Combine::kMax, wedged ? 1 : 0);
    }
    size_t compute = 0;
    size_t graphics = 0;
    const Missing missing = CountProcesses(compute, graphics);
    const auto put = [&](const char* kind, size_t number) {
      if (missing) return readings.Absent(kCardRank, v1::PROCESSES, {kind}, *missing);
      readings.Value(kCardRank, v1::PROCESSES, {kind}, Combine::kMax, static_cast<double>(number));
    };
    put("compute", compute);
    put("graphics", graphics);
  }

  Missing CountProcesses(size_t& compute, size_t& graphics) {
    const auto ask = [&](uint32_t* count, zes_process_state_t* processes) {
      return device_.Ask(processes_, MUSTER_SYSMAN(device_, zesDeviceProcessesGetState), device_.handle, count,
                         processes);
    };
    uint32_t count = 0;
    if (Missing missing = ask(&count, nullptr)) return missing;
    zes_process_state_t empty = {};
    empty.stype = ZES_STRUCTURE_TYPE_PROCESS_STATE;
    std::vector<zes_process_state_t> processes(std::min(count, kMaxProcesses), empty);
    count = static_cast<uint32_t>(processes.size());
    if (count == 0) return std::nullopt;
    if (Missing missing = ask(&count, processes.data())) return missing;
    processes.resize(std::min<size_t>(count, processes.size()));
    for (const zes_process_state_t& process : processes) {
      constexpr uint32_t kGraphics = ZES_ENGINE_TYPE_FLAG_3D | ZES_ENGINE_TYPE_FLAG_RENDER | ZES_ENGINE_TYPE_FLAG_MEDIA;
      const bool draws = (process.engines & kGraphics) != 0 && (process.engines & ZES_ENGINE_TYPE_FLAG_COMPUTE) == 0;
      ++(draws ? graphics : compute);
    }
    return std::nullopt;
  }

  SysmanMemo state_;
  SysmanMemo processes_;
};

}  // namespace

std::unique_ptr<SysmanPart> MakeFrequencyPart(SysmanDevice& device) { return std::make_unique<FrequencyPart>(device); }
std::unique_ptr<SysmanPart> MakeStatePart(SysmanDevice& device) { return std::make_unique<StatePart>(device); }

}  // namespace muster::agent
