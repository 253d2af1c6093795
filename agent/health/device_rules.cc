#include "agent/health/device_rules.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/text.h"

namespace muster::agent {
namespace {

using Labels = std::vector<std::string_view>;

bool HasLabels(const v1::Reading& reading, const Labels& labels) {
  if (static_cast<size_t>(reading.labels_size()) < labels.size()) return false;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!labels[i].empty() && reading.labels(static_cast<int>(i)) != labels[i]) return false;
  }
  return true;
}

// Calls `use` for each reading of the field that has a value and these labels; "" is any.
template <typename Use>
void ForEach(const v1::DeviceSample& sample, v1::TelemetryField field, const Labels& labels, Use use) {
  for (const v1::Reading& reading : sample.readings()) {
    if (reading.field() == field && reading.has_value() && HasLabels(reading, labels)) use(reading);
  }
}

std::optional<double> Find(const v1::DeviceSample& sample, v1::TelemetryField field, const Labels& labels = {}) {
  std::optional<double> value;
  ForEach(sample, field, labels, [&](const v1::Reading& reading) {
    if (!value) value = reading.value();
  });
  return value;
}

std::optional<double> Highest(const v1::DeviceSample& sample, v1::TelemetryField field, const Labels& labels = {}) {
  std::optional<double> value;
  ForEach(sample, field, labels,
          [&](const v1::Reading& reading) { value = value ? std::max(*value, reading.value()) : reading.value(); });
  return value;
}

std::optional<bool> IsOne(std::optional<double> value) {
  if (!value) return std::nullopt;
  return *value >= 0.5;
}

// FNV-1a, to tell one counter from another.
uint64_t CounterKey(const v1::Reading& reading) {
  uint64_t hash = 14'695'981'039'346'656'037u ^ static_cast<uint64_t>(reading.field());
  for (const std::string& label : reading.labels()) {
    for (const char c : label + "\n") hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211u;
  }
  return hash;
}

// "total" holds the others; where it is not given they are added.
std::optional<double> EccErrors(const v1::DeviceSample& sample, std::string_view kind, std::string_view lifetime) {
  if (const auto total = Find(sample, v1::ECC_ERRORS, {kind, "total", lifetime})) return total;
  std::optional<double> sum;
  ForEach(sample, v1::ECC_ERRORS, {kind, "", lifetime},
          [&](const v1::Reading& reading) { sum = sum.value_or(0) + reading.value(); });
  return sum;
}

// A reset of an engine, a mistake in a program or in the driver say nothing of the hardware.
bool IsOfHardware(const v1::Reading& reading) {
  const std::string& category = reading.labels(1);
  return category != "reset" && category != "programming" && category != "driver";
}

bool IsCrc(const v1::Reading& reading) { return reading.labels(1).starts_with("crc"); }

std::string Celsius(double value) { return absl::StrFormat("%.0f °C", value); }

}  // namespace

void CounterRate::Add(uint64_t counter, double value, int64_t now_ms) {
  const auto [it, first] = last_.try_emplace(counter, value);
  const double increase = value - std::exchange(it->second, value);
  if (first || increase <= 0) return;
  if (!increases_.empty() && increases_.back().first == now_ms) {
    increases_.back().second += increase;
  } else {
    increases_.emplace_back(now_ms, increase);
  }
  while (increases_.front().first + limits::kRateWindowMs <= now_ms) increases_.pop_front();
}

double CounterRate::IncreaseWithin(int64_t window_ms, int64_t now_ms) {
  double sum = 0;
  for (const auto& [at_ms, increase] : increases_) {
    if (at_ms + window_ms > now_ms) sum += increase;
  }
  return sum;
}

void DeviceRules::Update(const v1::DeviceSample& sample, int64_t now_ms) {
  now_ms_ = now_ms;
  if (last_sample_ms_ >= 0 && now_ms - last_sample_ms_ > limits::kMaxGapMs) {
    for (auto& [code, rule] : rules_) rule.differs_since_ms = -1;
  }
  last_sample_ms_ = now_ms;
  CheckBeginning(sample);
  CheckMemory(sample);
  CheckErrors(sample);
  CheckThrottling(sample);
  CheckTemperature(sample);
  CheckFans(sample);
  CheckPcie(sample);
  CheckLinks(sample);
}

void DeviceRules::Judge(std::string_view code, std::optional<bool> bad, int64_t onset_ms, int64_t clear_ms,
                        const Message& message) {
  if (!bad) return;
  auto it = rules_.find(code);
  if (it == rules_.end()) it = rules_.emplace(std::string(code), Rule()).first;
  Rule& rule = it->second;
  const bool stands = standing_.contains(it->first);
  if (*bad == stands) {
    rule.differs_since_ms = -1;
    return;
  }
  if (rule.differs_since_ms < 0) rule.differs_since_ms = now_ms_;
  if (now_ms_ - rule.differs_since_ms < (*bad ? onset_ms : clear_ms)) return;
  rule.differs_since_ms = -1;
  if (*bad) {
    standing_.emplace(it->first, message());
  } else {
    standing_.erase(it->first);
  }
}

void DeviceRules::JudgeRate(std::string_view code, CounterRate& rate, double limit, std::string_view what) {
  const double increase = rate.IncreaseWithin(limits::kRateWindowMs, now_ms_);
  Judge(code, increase > limit, 0, limits::kRateClearMs, [&] {
    return absl::StrFormat("%.0f %s in a minute; expected at most %.0f", increase, std::string(what), limit);
  });
}

// Energy is counted since the driver started: what is less than before has begun anew. Each counter by itself: a sample
// may lack the card's and have a tile's.
void DeviceRules::CheckBeginning(const v1::DeviceSample& sample) {
  const std::optional<bool> wedged = IsOne(Find(sample, v1::WEDGED));
  began_anew_ = last_wedged_ == true && wedged == false;
  ForEach(sample, v1::ENERGY, {}, [&](const v1::Reading& reading) {
    const auto [last, first] = last_energy_.try_emplace(CounterKey(reading), reading.value());
    began_anew_ |= !first && reading.value() < last->second / 2;
    last->second = reading.value();
  });
  if (wedged) last_wedged_ = wedged;
}

void DeviceRules::CheckMemory(const v1::DeviceSample& sample) {
  Judge("row-remap.pending", IsOne(Find(sample, v1::ROW_REMAP_PENDING)), 0, 0,
        [] { return "a memory row waits for the next reset to be remapped"; });
  Judge("row-remap.failed", IsOne(Find(sample, v1::ROW_REMAP_FAILED)), 0, 0,
        [] { return "the GPU reports a row remap that failed"; });
  Judge("pages.retirement-pending", IsOne(Find(sample, v1::RETIRED_PAGES_PENDING)), 0, 0,
        [] { return "memory pages wait for the next reset to be retired"; });
  Judge("intel.wedged", IsOne(Find(sample, v1::WEDGED)), 0, 0, [] { return "the driver says that the GPU is wedged"; });
}

void DeviceRules::CheckErrors(const v1::DeviceSample& sample) {
  std::optional<double> uncorrected = EccErrors(sample, "uncorrected", "volatile");
  if (!uncorrected) {
    const std::optional<double> aggregate = EccErrors(sample, "uncorrected", "aggregate");
    if (aggregate && !first_aggregate_uncorrected_) first_aggregate_uncorrected_ = aggregate;
    if (aggregate) uncorrected = *aggregate - *first_aggregate_uncorrected_;
  }
  Judge("ecc.uncorrected", uncorrected ? std::optional(*uncorrected > 0) : std::nullopt, 0, 0,
        [&] { return absl::StrFormat("%.0f uncorrectable memory errors since the driver started", *uncorrected); });

  std::optional<double> ras;
  ForEach(sample, v1::RAS_ERRORS, {"uncorrected", ""}, [&](const v1::Reading& reading) {
    if (IsOfHardware(reading)) ras = ras.value_or(0) + reading.value();
  });
  Judge("ras.uncorrected", ras ? std::optional(*ras > 0) : std::nullopt, 0, 0,
        [&] { return absl::StrFormat("%.0f uncorrectable errors since the driver started", *ras); });

  const bool has_total = Find(sample, v1::ECC_ERRORS, {"corrected", "total", "volatile"}).has_value();
  ForEach(sample, v1::ECC_ERRORS, {"corrected", has_total ? "total" : "", "volatile"},
          [&](const v1::Reading& reading) { corrected_.Add(CounterKey(reading), reading.value(), now_ms_); });
  ForEach(sample, v1::RAS_ERRORS, {"corrected", ""}, [&](const v1::Reading& reading) {
    if (IsOfHardware(reading)) corrected_.Add(CounterKey(reading), reading.value(), now_ms_);
  });
  JudgeRate("ecc.corrected-rate", corrected_, limits::kCorrectedErrorsPerMinute, "corrected memory errors");
}

void DeviceRules::CheckThrottling(const v1::DeviceSample& sample) {
  std::optional<bool> hot;
  for (const std::string_view reason : {"thermal", "hw_thermal"}) {
    if (const auto is = IsOne(Find(sample, v1::THROTTLED, {reason}))) hot = hot.value_or(false) || *is;
  }
  const std::optional<double> core = Highest(sample, v1::TEMPERATURE);
  Judge("thermal.throttling", hot, limits::kThrottleOnsetMs, limits::kThrottleClearMs, [&] {
    return base::Text("the clocks are held down by heat for ", limits::kThrottleOnsetMs / 1'000, " s",
                      core ? base::Text(", at ", Celsius(*core)) : "");
  });

  const std::optional<bool> brake = IsOne(Find(sample, v1::THROTTLED, {"hw_power_brake"}));
  const std::optional<bool> capped = IsOne(Find(sample, v1::THROTTLED, {"power"}));
  std::optional<double> power = Find(sample, v1::POWER, {"card"});
  if (!power) power = Highest(sample, v1::POWER);
  const std::optional<double> limit = Find(sample, v1::POWER_LIMIT, {"enforced"});
  const std::optional<double> busy = Highest(sample, v1::UTILIZATION);
  std::optional<bool> held = brake;
  if (capped && power && limit && busy) {
    const bool below = *capped && *busy >= limits::kBusyRatio && *power < limits::kPowerBrakeRatio * *limit;
    held = held.value_or(false) || below;
  }
  Judge("power.throttling", held, limits::kThrottleOnsetMs, limits::kThrottleClearMs, [&] {
    if (!power || !limit) return std::string("an external power brake holds the clocks down");
    return absl::StrFormat("the clocks are held down for power at %.0f W of %.0f W", *power, *limit);
  });
}

void DeviceRules::CheckTemperature(const v1::DeviceSample& sample) {
  const bool stands = standing_.contains("thermal.limit");
  std::optional<bool> at_limit;
  std::string where;
  const auto compare = [&](std::string_view location, std::optional<double> limit) {
    const std::optional<double> temperature = Find(sample, v1::TEMPERATURE, {location});
    if (!temperature || !limit || *limit <= 0) return;
    const bool at = *temperature >= *limit - (stands ? limits::kThermalHysteresisCelsius : 0);
    if (at) where = base::Text(location, " at ", Celsius(*temperature), ", its limit is ", Celsius(*limit));
    at_limit = at_limit.value_or(false) || at;
  };
  std::optional<double> core_limit = Find(sample, v1::TEMPERATURE_LIMIT, {"slowdown"});
  if (!core_limit) {
    core_limit = Find(sample, v1::TEMPERATURE_LIMIT, {"shutdown"});
    if (core_limit) *core_limit -= limits::kBelowShutdownCelsius;
  }
  compare("core", core_limit);
  compare("memory", Find(sample, v1::TEMPERATURE_LIMIT, {"memory_throttle"}));
  Judge("thermal.limit", at_limit, 0, limits::kThermalClearMs, [&] { return where; });
}

void DeviceRules::CheckFans(const v1::DeviceSample& sample) {
  const std::optional<double> core = Find(sample, v1::TEMPERATURE, {"core"});
  if (!core) return;
  std::optional<bool> stopped;
  std::vector<std::string> which;
  for (const v1::TelemetryField field : {v1::FAN_SPEED_RPM, v1::FAN_SPEED_RATIO}) {
    if (stopped) break;  // Revolutions are measured, a ratio may be what was asked for.
    ForEach(sample, field, {}, [&](const v1::Reading& reading) {
      const bool stands_still = reading.value() <= 0;
      stopped = stopped.value_or(false) || stands_still;
      if (stands_still && reading.labels_size() > 0) which.push_back(reading.labels(0));
    });
  }
  if (stopped) stopped = *stopped && *core >= limits::kFanNeededCelsius;
  Judge("fan.stopped", stopped, limits::kFanOnsetMs, 0,
        [&] { return base::Text("fan ", absl::StrJoin(which, ", "), " stands still at ", Celsius(*core)); });
}

void DeviceRules::CheckPcie(const v1::DeviceSample& sample) {
  const std::optional<double> generation = Find(sample, v1::PCIE_LINK_GENERATION);
  const std::optional<double> generation_max = Find(sample, v1::PCIE_LINK_GENERATION_MAX);
  const std::optional<double> lanes = Find(sample, v1::PCIE_LINK_LANES);
  const std::optional<double> lanes_max = Find(sample, v1::PCIE_LINK_LANES_MAX);
  const std::optional<double> busy = Highest(sample, v1::UTILIZATION);
  // An idle GPU may let its link rest: then nothing can be told.
  if (busy && *busy >= limits::kBusyRatio) {
    std::optional<bool> below;
    if (generation && generation_max) below = *generation < *generation_max;
    if (lanes && lanes_max) below = below.value_or(false) || *lanes < *lanes_max;
    Judge("pcie.link-degraded", below, limits::kLinkOnsetMs, limits::kLinkClearMs, [&] {
      return absl::StrFormat("the link runs at generation %.0f × %.0f lanes while the GPU is busy; it can %.0f × %.0f",
                             generation.value_or(0), lanes.value_or(0), generation_max.value_or(0),
                             lanes_max.value_or(0));
    });
  } else if (const auto rule = rules_.find("pcie.link-degraded"); rule != rules_.end()) {
    rule->second.differs_since_ms = -1;
  }
  ForEach(sample, v1::PCIE_REPLAYS, {},
          [&](const v1::Reading& reading) { replays_.Add(CounterKey(reading), reading.value(), now_ms_); });
  JudgeRate("pcie.replay-rate", replays_, limits::kReplaysPerMinute, "PCIe replays");
}

void DeviceRules::CheckLinks(const v1::DeviceSample& sample) {
  std::vector<std::string> down;
  std::optional<bool> is_down;
  ForEach(sample, v1::LINK_UP, {""}, [&](const v1::Reading& reading) {
    const bool up = reading.value() >= 0.5;
    if (up) links_up_[reading.labels(0)] = true;
    // One that was never up has no cable, or nobody at its other end.
    if (!links_up_.contains(reading.labels(0))) return;
    is_down = is_down.value_or(false) || !up;
    if (!up) down.push_back(reading.labels(0));
  });
  Judge("link.down", is_down, limits::kLinkDownOnsetMs, 0,
        [&] { return base::Text("link ", absl::StrJoin(down, ", "), " is down and was up before"); });

  ForEach(sample, v1::LINK_ERRORS, {"", ""}, [&](const v1::Reading& reading) {
    (IsCrc(reading) ? link_crc_errors_ : link_errors_).Add(CounterKey(reading), reading.value(), now_ms_);
  });
  const double crc = link_crc_errors_.IncreaseWithin(limits::kRateWindowMs, now_ms_);
  const double others = link_errors_.IncreaseWithin(limits::kRateWindowMs, now_ms_);
  Judge("link.errors", crc > limits::kLinkCrcErrorsPerMinute || others > limits::kLinkErrorsPerMinute, 0,
        limits::kRateClearMs, [&] {
          return absl::StrFormat("%.0f checksum errors and %.0f replays, recoveries or other errors in a minute", crc,
                                 others);
        });
}

}  // namespace muster::agent
