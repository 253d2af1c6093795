// A device's readings over time: taken by a thread at a stated rate, kept in bounded memory, asked about windows.
#ifndef MUSTER_SUITES_SDK_SENSOR_SERIES_H_
#define MUSTER_SUITES_SDK_SENSOR_SERIES_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "suites/sdk/sensors.h"

namespace muster::sdk {

// Of one moment. A reading that is not there is NaN, and the series says why.
struct SensorSample {
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  double seconds = 0;  // By the recorder's clock.
  double power_watts = kNone;
  double energy_joules = kNone;
  double core_celsius = kNone;
  double memory_celsius = kNone;
  double core_hertz = kNone;
  double memory_hertz = kNone;
  double busy_share = kNone;
  uint64_t clock_reasons = 0;
  bool knows_clock_reasons = false;
};
using SensorReading = double SensorSample::*;

struct SensorStatistics {
  size_t samples = 0;
  double mean = 0;
  double lowest = 0;
  double highest = 0;
  double p99 = 0;
};

// Full, it drops every other sample and from then on keeps every other of those that come: always the whole time, less
// finely.
class SensorSeries {
 public:
  explicit SensorSeries(size_t capacity = 1 << 15) : capacity_(capacity) {}

  void Add(const SensorSample& sample);
  void NoteMissing(const std::string& reading, const absl::Status& status) { missing_.emplace(reading, status); }

  const std::vector<SensorSample>& samples() const { return samples_; }
  // By the reading's name ("power"), why it was first not there.
  const std::map<std::string, absl::Status>& missing() const { return missing_; }

  // Windows are in seconds, both ends included; nullopt where they hold no such reading.
  std::optional<SensorStatistics> Statistics(SensorReading reading, double from, double to) const;
  // What the energy counter gained in the window, over the time between its first and last change there.
  std::optional<double> EnergyWatts(double from, double to) const;
  // The share of the window's samples in which a bit was set; nullopt where none knows.
  std::optional<double> Residency(uint64_t bits, double from, double to) const;
  // All bits seen.
  uint64_t ClockReasons(double from, double to) const;
  // The first moment from which on the mean of `span` seconds is at least `level`.
  std::optional<double> FirstReaches(SensorReading reading, double level, double span) const;

 private:
  size_t capacity_;
  uint32_t keep_one_of_ = 1;
  uint64_t added_ = 0;
  std::vector<SensorSample> samples_;
  std::map<std::string, absl::Status> missing_;
};

// One look at all sensors. Where the device counts energy alone, power is what the counter gained since the look
// before; else the counter is asked at every fifth look, for NVIDIA's takes 4 ms to answer and moves every 100.
class SensorReader {
 public:
  explicit SensorReader(Sensors& sensors) : sensors_(sensors) {}
  SensorSample Read(double seconds, SensorSeries& series);

 private:
  void ReadPower(SensorSample& sample, SensorSeries& series);

  Sensors& sensors_;
  std::optional<Sensors::Energy> before_;
  uint64_t looks_ = 0;
};

// Samples from its making to Stop(), on a thread of its own.
class SensorRecorder {
 public:
  // The moment at which the clock of the samples stands at zero.
  using Clock = std::chrono::steady_clock;

  // `sensors` outlives the recorder, which alone asks them until Stop().
  SensorRecorder(Sensors& sensors, double samples_per_second, Clock::time_point start, size_t capacity = 1 << 15);
  ~SensorRecorder();
  SensorRecorder(const SensorRecorder&) = delete;
  SensorRecorder& operator=(const SensorRecorder&) = delete;

  // As it stands now.
  SensorSeries Series() const;
  SensorSeries Stop();

 private:
  void Run(double period_seconds);

  Sensors& sensors_;
  const Clock::time_point start_;
  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;    // Guarded by mutex_.
  SensorSeries series_;  // Guarded by mutex_.
  std::thread thread_;
};

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_SENSOR_SERIES_H_
