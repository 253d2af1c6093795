// What one device's samples say of its health: each rule with its threshold, and how long it must hold before it counts
// and before it no longer does.
//
// Pure: a sample and the time in, findings out. A value that is absent leaves its rules as they are: what cannot be
// read is neither well nor unwell.
#ifndef MUSTER_AGENT_HEALTH_DEVICE_RULES_H_
#define MUSTER_AGENT_HEALTH_DEVICE_RULES_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

namespace limits {

// A state that lasts less is the GPU's own regulation at work; our own figures.
inline constexpr int64_t kThrottleOnsetMs = 10'000;
inline constexpr int64_t kThrottleClearMs = 30'000;
// A GPU below it may have let its link and its clocks rest.
inline constexpr double kBusyRatio = 0.5;
inline constexpr int64_t kLinkOnsetMs = 10'000;
inline constexpr int64_t kLinkClearMs = 5'000;
// Throttled for power below this share of the limit: not the GPU's own limit holds it back.
inline constexpr double kPowerBrakeRatio = 0.75;
// DCGM's health watch warns above 8 replays a minute (DCGM_LIMIT_MAX_PCIREPLAY_RATE).
inline constexpr double kReplaysPerMinute = 8;
// DCGM's limit for single-bit errors (DCGM_LIMIT_MAX_SBE_RATE); a healthy memory shows none for days.
inline constexpr double kCorrectedErrorsPerMinute = 10;
// A tenth of the 100 CRC errors a second at which DCGM takes an NVLink for broken; the others are a retransmission or a
// recovery each.
inline constexpr double kLinkCrcErrorsPerMinute = 600;
inline constexpr double kLinkErrorsPerMinute = 10;
inline constexpr int64_t kRateWindowMs = 60'000;
inline constexpr int64_t kRateClearMs = 600'000;
inline constexpr double kThermalHysteresisCelsius = 3;
inline constexpr int64_t kThermalClearMs = 10'000;
// Some limits are given only as the temperature of the shut-down: so far below it is reported.
inline constexpr double kBelowShutdownCelsius = 5;
// Cards with a silent mode stop their fans below 50 to 60 Celsius.
inline constexpr double kFanNeededCelsius = 65;
inline constexpr int64_t kFanOnsetMs = 10'000;
inline constexpr int64_t kLinkDownOnsetMs = 3'000;
// Samples further apart say nothing of the time between.
inline constexpr int64_t kMaxGapMs = 10'000;

}  // namespace limits

// The increase of some counters over the last minute. A counter that falls has begun anew.
class CounterRate {
 public:
  void Add(uint64_t counter, double value, int64_t now_ms);
  double IncreaseWithin(int64_t window_ms, int64_t now_ms);

 private:
  std::unordered_map<uint64_t, double> last_;
  std::deque<std::pair<int64_t, double>> increases_;
};

class DeviceRules {
 public:
  // Takes the next sample.
  void Update(const v1::DeviceSample& sample, int64_t now_ms);

  // By code: what stands now, and the numbers at which it began.
  const std::map<std::string, std::string>& standing() const { return standing_; }
  // The last sample showed that the device, or its driver, has begun anew.
  bool began_anew() const { return began_anew_; }

 private:
  struct Rule {
    int64_t differs_since_ms = -1;  // -1: the last samples agree with what stands.
  };
  using Message = std::function<std::string()>;
  void Judge(std::string_view code, std::optional<bool> bad, int64_t onset_ms, int64_t clear_ms,
             const Message& message);
  void JudgeRate(std::string_view code, CounterRate& rate, double limit, std::string_view what);

  void CheckMemory(const v1::DeviceSample& sample);
  void CheckErrors(const v1::DeviceSample& sample);
  void CheckThrottling(const v1::DeviceSample& sample);
  void CheckTemperature(const v1::DeviceSample& sample);
  void CheckFans(const v1::DeviceSample& sample);
  void CheckPcie(const v1::DeviceSample& sample);
  void CheckLinks(const v1::DeviceSample& sample);
  void CheckBeginning(const v1::DeviceSample& sample);

  int64_t now_ms_ = 0;
  int64_t last_sample_ms_ = -1;
  bool began_anew_ = false;
  std::map<std::string, Rule, std::less<>> rules_;
  std::map<std::string, std::string> standing_;
  CounterRate corrected_;
  CounterRate replays_;
  CounterRate link_errors_;
  CounterRate link_crc_errors_;
  std::optional<double> first_aggregate_uncorrected_;
  std::unordered_map<uint64_t, double> last_energy_;  // By counter.
  std::optional<bool> last_wedged_;
  std::map<std::string, bool> links_up_;  // Those that were up once.
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_HEALTH_DEVICE_RULES_H_
