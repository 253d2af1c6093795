// The last minutes of one device: numbers alone, so that eight devices cost little memory.
//
// Of each reading that a case's context may show, one series. A series that has never changed is one number; the others
// hold the difference from their first value as a float, which is exact enough for what five minutes hold. On the event
// loop.
#ifndef MUSTER_AGENT_MONITOR_SAMPLE_HISTORY_H_
#define MUSTER_AGENT_MONITOR_SAMPLE_HISTORY_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "muster/v1/run.pb.h"
#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

class SampleHistory {
 public:
  static constexpr size_t kCapacity = 300;
  static constexpr size_t kMaxSeries = 512;
  // A sample so little before the time asked for still says how it began.
  static constexpr int64_t kBeforeMs = 2'500;
  // What a device may do at rest.
  static constexpr double kIdleUtilization = 0.005;
  static constexpr double kIdleEngineSeconds = 0.001;
  static constexpr double kIdleMemoryBytes = 1 << 20;
  static constexpr double kIdleClockRise = 1.1;

  // `sample.time_unix_ms` orders; what is not newer than the last one is left out.
  void Add(const v1::DeviceSample& sample);
  size_t size() const { return count_; }

  // Of each series with a value in the time, and only what tells something: error counters that moved or are not zero,
  // reasons for throttling that were there. At most `limit`.
  std::vector<v1::ReadingSummary> Summaries(int64_t from_unix_ms, int64_t to_unix_ms, size_t limit) const;

  // SEEN when utilization, engine time, memory or clocks moved. NONE when samples cover the time (two at least, two
  // seconds at least, no long gap), none did, and nobody held memory of the device: a utilization does not show a
  // kernel of a millisecond, but who launches one holds memory. Otherwise UNSPECIFIED.
  v1::GpuActivity Activity(int64_t from_unix_ms, int64_t to_unix_ms) const;

 private:
  struct Series {
    v1::TelemetryField field = v1::TELEMETRY_FIELD_UNSPECIFIED;
    std::vector<std::string> labels;
    double base = 0;
    double least = 0;  // Ever.
    // By slot; NaN: absent. Empty: `base` in every sample so far.
    std::vector<float> offsets;
  };
  // Samples by age: 0 is the oldest that is kept.
  size_t Slot(size_t index) const { return (next_ + kCapacity - count_ + index) % kCapacity; }
  std::optional<double> Value(const Series& series, size_t index) const;
  Series* FindOrAdd(const v1::Reading& reading, size_t hint);
  // [first, last) of the samples in the time, with the one that says how it began.
  struct Range {
    size_t first = 0;
    size_t last = 0;
  };
  Range Find(int64_t from_unix_ms, int64_t to_unix_ms) const;
  // What a series says of work within the range. kPerhaps: what it shows may be of the time before, or hide some.
  enum class Work { kNone, kPerhaps, kSeen };
  Work Find(const Series& series, Range range, int64_t from_unix_ms) const;

  std::array<int64_t, kCapacity> times_{};
  size_t next_ = 0;  // Slot of the next sample.
  size_t count_ = 0;
  std::vector<Series> series_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_MONITOR_SAMPLE_HISTORY_H_
