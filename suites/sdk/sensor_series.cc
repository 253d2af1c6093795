#include "suites/sdk/sensor_series.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace muster::sdk {

void SensorSeries::Add(const SensorSample& sample) {
  if (added_++ % keep_one_of_ != 0) return;
  samples_.push_back(sample);
  if (samples_.size() < capacity_) return;
  size_t kept = 0;
  for (size_t i = 0; i < samples_.size(); i += 2) samples_[kept++] = samples_[i];
  samples_.resize(kept);
  keep_one_of_ *= 2;
}

std::optional<SensorStatistics> SensorSeries::Statistics(SensorReading reading, double from, double to) const {
  std::vector<double> values;
  for (const SensorSample& sample : samples_) {
    const double value = sample.*reading;
    if (sample.seconds >= from && sample.seconds <= to && std::isfinite(value)) values.push_back(value);
  }
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  double sum = 0;
  for (const double value : values) sum += value;
  // The nearest rank.
  const auto rank = static_cast<size_t>(std::ceil(0.99 * static_cast<double>(values.size())));
  return SensorStatistics{.samples = values.size(),
                          .mean = sum / static_cast<double>(values.size()),
                          .lowest = values.front(),
                          .highest = values.back(),
                          .p99 = values[rank - 1]};
}

// The counter moves in steps (some 20 to 100 ms on NVIDIA's): between two of its changes nothing is lost to them.
std::optional<double> SensorSeries::EnergyWatts(double from, double to) const {
  const SensorSample* last_seen = nullptr;
  const SensorSample* first_change = nullptr;
  const SensorSample* last_change = nullptr;
  for (const SensorSample& sample : samples_) {
    if (sample.seconds < from || sample.seconds > to || !std::isfinite(sample.energy_joules)) continue;
    if (last_seen != nullptr && sample.energy_joules != last_seen->energy_joules) {
      if (first_change == nullptr) first_change = &sample;
      last_change = &sample;
    }
    last_seen = &sample;
  }
  if (first_change == nullptr || first_change == last_change) return std::nullopt;
  return (last_change->energy_joules - first_change->energy_joules) / (last_change->seconds - first_change->seconds);
}

std::optional<double> SensorSeries::Residency(uint64_t bits, double from, double to) const {
  size_t known = 0;
  size_t set = 0;
  for (const SensorSample& sample : samples_) {
    if (sample.seconds < from || sample.seconds > to || !sample.knows_clock_reasons) continue;
    ++known;
    if ((sample.clock_reasons & bits) != 0) ++set;
  }
  if (known == 0) return std::nullopt;
  return static_cast<double>(set) / static_cast<double>(known);
}

uint64_t SensorSeries::ClockReasons(double from, double to) const {
  uint64_t seen = 0;
  for (const SensorSample& sample : samples_) {
    if (sample.seconds >= from && sample.seconds <= to) seen |= sample.clock_reasons;
  }
  return seen;
}

std::optional<double> SensorSeries::FirstReaches(SensorReading reading, double level, double span) const {
  if (samples_.empty()) return std::nullopt;
  const double end = samples_.back().seconds;
  for (const SensorSample& sample : samples_) {
    if (sample.seconds + span > end) break;
    const auto window = Statistics(reading, sample.seconds, sample.seconds + span);
    if (window.has_value() && window->mean >= level) return sample.seconds;
  }
  return std::nullopt;
}

void SensorReader::ReadPower(SensorSample& sample, SensorSeries& series) {
  constexpr uint64_t kEnergyEvery = 5;
  const absl::StatusOr<double> watts = sensors_.PowerWatts();
  if (watts.ok()) sample.power_watts = *watts;
  if (looks_++ % kEnergyEvery != 0 && watts.ok()) return;
  const absl::StatusOr<Sensors::Energy> energy = sensors_.EnergyCounter();
  if (energy.ok()) {
    sample.energy_joules = energy->joules;
  } else {
    series.NoteMissing("energy", energy.status());
  }
  if (watts.ok()) return;
  if (!energy.ok() || energy->seconds < 0) return series.NoteMissing("power", watts.status());
  const std::optional<Sensors::Energy> before = std::exchange(before_, *energy);
  if (!before.has_value() || energy->seconds <= before->seconds) return;
  sample.power_watts = (energy->joules - before->joules) / (energy->seconds - before->seconds);
}

SensorSample SensorReader::Read(double seconds, SensorSeries& series) {
  SensorSample sample{.seconds = seconds};
  const auto take = [&series](const char* name, const absl::StatusOr<double>& reading, double& to) {
    if (reading.ok()) {
      to = *reading;
    } else {
      series.NoteMissing(name, reading.status());
    }
  };
  ReadPower(sample, series);
  take("core temperature", sensors_.CoreCelsius(), sample.core_celsius);
  take("memory temperature", sensors_.MemoryCelsius(), sample.memory_celsius);
  take("core clock", sensors_.CoreClockHertz(), sample.core_hertz);
  take("memory clock", sensors_.MemoryClockHertz(), sample.memory_hertz);
  take("busy share", sensors_.BusyShare(), sample.busy_share);
  const absl::StatusOr<uint64_t> reasons = sensors_.ClockReasonBits();
  sample.knows_clock_reasons = reasons.ok();
  if (reasons.ok()) {
    sample.clock_reasons = *reasons;
  } else {
    series.NoteMissing("clock reasons", reasons.status());
  }
  return sample;
}

SensorRecorder::SensorRecorder(Sensors& sensors, double samples_per_second, Clock::time_point start, size_t capacity)
    : sensors_(sensors),
      start_(start),
      series_(capacity),
      thread_([this, samples_per_second] { Run(1 / samples_per_second); }) {}

SensorRecorder::~SensorRecorder() { Stop(); }

SensorSeries SensorRecorder::Series() const {
  const std::lock_guard lock(mutex_);
  return series_;
}

SensorSeries SensorRecorder::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  if (thread_.joinable()) thread_.join();
  return Series();
}

// Readings are taken without the lock, for a driver may be slow to answer; a turn that is late is left out.
void SensorRecorder::Run(double period_seconds) {
  const auto period = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(period_seconds));
  SensorReader reader(sensors_);
  Clock::time_point next = Clock::now();
  for (;;) {
    SensorSeries reasons;
    const double before = std::chrono::duration<double>(Clock::now() - start_).count();
    SensorSample sample = reader.Read(before, reasons);
    const double after = std::chrono::duration<double>(Clock::now() - start_).count();
    sample.seconds = (before + after) / 2;
    next = std::max(next + period, Clock::now());
    std::unique_lock lock(mutex_);
    series_.Add(sample);
    for (const auto& [name, status] : reasons.missing()) series_.NoteMissing(name, status);
    if (stopping_.wait_until(lock, next, [this] { return stop_; })) return;
  }
}

}  // namespace muster::sdk
