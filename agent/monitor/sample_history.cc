#include "agent/monitor/sample_history.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace muster::agent {
namespace {

// Samples further apart than this leave a gap in which a device may have worked.
constexpr int64_t kMaxGapMs = 3'500;
constexpr int64_t kMinCoveredMs = 2'000;
// What is after the last sample is not seen.
constexpr int64_t kMaxTailMs = 2'000;
// How long a utilization looks back: the first value after the start may be of what was before.
constexpr int64_t kUtilizationWindowMs = 1'000;

bool IsKept(v1::TelemetryField field) {
  switch (field) {
    case v1::TEMPERATURE:
    case v1::POWER:
    case v1::ENERGY:
    case v1::CLOCK:
    case v1::THROTTLED:
    case v1::UTILIZATION:
    case v1::ENGINE_ACTIVE_SECONDS:
    case v1::MEMORY_USED:
    case v1::PCIE_LINK_GENERATION:
    case v1::PCIE_LINK_LANES:
    case v1::PCIE_REPLAYS:
    case v1::ECC_ERRORS:
    case v1::RAS_ERRORS:
    case v1::ROW_REMAPS:
    case v1::RETIRED_PAGES:
    case v1::LINK_UP:
    case v1::LINK_ERRORS:
      return true;
    default:
      return false;
  }
}

// Zero all along says that nothing happened: the reader need not see it.
bool IsSilentAtZero(v1::TelemetryField field) {
  switch (field) {
    case v1::THROTTLED:
    case v1::PCIE_REPLAYS:
    case v1::ECC_ERRORS:
    case v1::RAS_ERRORS:
    case v1::ROW_REMAPS:
    case v1::RETIRED_PAGES:
    case v1::LINK_ERRORS:
      return true;
    default:
      return false;
  }
}

bool Same(const std::vector<std::string>& labels, const v1::Reading& reading) {
  return std::equal(labels.begin(), labels.end(), reading.labels().begin(), reading.labels().end());
}

}  // namespace

SampleHistory::Series* SampleHistory::FindOrAdd(const v1::Reading& reading, size_t hint) {
  // Samples of a device hold the same readings in the same order, nearly always.
  for (size_t i = 0; i < series_.size(); ++i) {
    Series& series = series_[(hint + i) % series_.size()];
    if (series.field == reading.field() && Same(series.labels, reading)) return &series;
  }
  if (!reading.has_value() || series_.size() >= kMaxSeries) return nullptr;
  Series& series = series_.emplace_back();
  series.field = reading.field();
  series.labels.assign(reading.labels().begin(), reading.labels().end());
  series.base = reading.value();
  series.least = series.base;
  // Absent in the samples before it.
  if (count_ > 0) series.offsets.assign(kCapacity, std::numeric_limits<float>::quiet_NaN());
  return &series;
}

void SampleHistory::Add(const v1::DeviceSample& sample) {
  if (count_ > 0 && sample.time_unix_ms() <= times_[Slot(count_ - 1)]) {
    // Not newer; a wall clock that was set far back begins anew.
    if (times_[Slot(count_ - 1)] - sample.time_unix_ms() < int64_t{kCapacity} * 1'000) return;
    *this = SampleHistory();
  }
  size_t hint = 0;
  std::vector<bool> has_value(series_.size(), false);
  for (const v1::Reading& reading : sample.readings()) {
    if (!IsKept(reading.field()) || !reading.has_value() || !std::isfinite(reading.value())) continue;
    Series* series = FindOrAdd(reading, hint);
    if (series == nullptr) continue;
    series->least = std::min(series->least, reading.value());
    hint = static_cast<size_t>(series - series_.data());
    if (has_value.size() < series_.size()) has_value.resize(series_.size(), false);
    has_value[hint] = true;
    if (series->offsets.empty() && reading.value() != series->base) series->offsets.assign(kCapacity, 0.0F);
    if (!series->offsets.empty()) series->offsets[next_] = static_cast<float>(reading.value() - series->base);
    ++hint;
  }
  for (size_t i = 0; i < series_.size(); ++i) {
    if (has_value[i]) continue;
    if (series_[i].offsets.empty()) series_[i].offsets.assign(kCapacity, 0.0F);
    series_[i].offsets[next_] = std::numeric_limits<float>::quiet_NaN();
  }
  times_[next_] = sample.time_unix_ms();
  next_ = (next_ + 1) % kCapacity;
  count_ = std::min(count_ + 1, kCapacity);
}

std::optional<double> SampleHistory::Value(const Series& series, size_t index) const {
  if (series.offsets.empty()) return series.base;
  const float offset = series.offsets[Slot(index)];
  if (std::isnan(offset)) return std::nullopt;
  return series.base + static_cast<double>(offset);
}

SampleHistory::Range SampleHistory::Find(int64_t from_unix_ms, int64_t to_unix_ms) const {
  Range range;
  while (range.first < count_ && times_[Slot(range.first)] < from_unix_ms) ++range.first;
  range.last = range.first;
  while (range.last < count_ && times_[Slot(range.last)] <= to_unix_ms) ++range.last;
  if (range.first > 0 && times_[Slot(range.first - 1)] >= from_unix_ms - kBeforeMs) --range.first;
  return range;
}

std::vector<v1::ReadingSummary> SampleHistory::Summaries(int64_t from_unix_ms, int64_t to_unix_ms, size_t limit) const {
  const Range range = Find(from_unix_ms, to_unix_ms);
  std::vector<v1::ReadingSummary> summaries;
  for (const Series& series : series_) {
    if (summaries.size() >= limit) break;
    v1::ReadingSummary summary;
    double sum = 0;
    for (size_t i = range.first; i < range.last; ++i) {
      const std::optional<double> value = Value(series, i);
      if (!value) continue;
      if (summary.samples() == 0) {
        summary.set_first(*value);
        summary.set_minimum(*value);
        summary.set_maximum(*value);
      }
      summary.set_samples(summary.samples() + 1);
      summary.set_minimum(std::min(summary.minimum(), *value));
      summary.set_maximum(std::max(summary.maximum(), *value));
      summary.set_last(*value);
      sum += *value;
    }
    if (summary.samples() == 0) continue;
    if (IsSilentAtZero(series.field) && summary.minimum() == 0 && summary.maximum() == 0) continue;
    if (series.field == v1::LINK_UP && summary.minimum() == summary.maximum()) continue;
    summary.set_field(series.field);
    for (const std::string& label : series.labels) summary.add_labels(label);
    summary.set_mean(sum / summary.samples());
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

SampleHistory::Work SampleHistory::Find(const Series& series, Range range, int64_t from_unix_ms) const {
  Work work = Work::kNone;
  std::optional<double> first;
  std::optional<double> before;  // The last value from before the time, or from its very beginning.
  for (size_t i = range.first; i < range.last; ++i) {
    const std::optional<double> value = Value(series, i);
    if (!value) continue;
    const int64_t time_ms = times_[Slot(i)];
    const bool within = time_ms > from_unix_ms;
    switch (series.field) {
      case v1::UTILIZATION:
        if (!within || *value <= kIdleUtilization) break;
        if (time_ms >= from_unix_ms + kUtilizationWindowMs) return Work::kSeen;
        work = Work::kPerhaps;
        break;
      case v1::ENGINE_ACTIVE_SECONDS:
        if (within && first && *value > *first + kIdleEngineSeconds) return Work::kSeen;
        if (within && before && *value > *before + kIdleEngineSeconds) work = Work::kPerhaps;
        if (!within) before = value;
        if (!first && time_ms >= from_unix_ms) first = value;
        break;
      case v1::MEMORY_USED:
        if (first && *value > *first + kIdleMemoryBytes) return Work::kSeen;
        if (*value > series.least + kIdleMemoryBytes) work = Work::kPerhaps;
        if (!first) first = value;
        break;
      case v1::CLOCK:
        if (first && *value > *first * kIdleClockRise) return Work::kSeen;
        if (!first) first = value;
        break;
      default:
        return Work::kNone;
    }
  }
  return work;
}

v1::GpuActivity SampleHistory::Activity(int64_t from_unix_ms, int64_t to_unix_ms) const {
  const Range range = Find(from_unix_ms, to_unix_ms);
  bool has_indicator = false;
  bool has_memory = false;
  bool perhaps = false;
  for (const Series& series : series_) {
    const Work work = Find(series, range, from_unix_ms);
    if (work == Work::kSeen) return v1::GPU_ACTIVITY_SEEN;
    perhaps |= work == Work::kPerhaps;
    bool has_value = false;
    for (size_t i = range.first; i < range.last; ++i) has_value |= Value(series, i).has_value();
    has_memory |= has_value && series.field == v1::MEMORY_USED;
    has_indicator |= has_value && (series.field == v1::UTILIZATION || series.field == v1::ENGINE_ACTIVE_SECONDS);
  }
  if (!has_indicator || !has_memory || perhaps) return v1::GPU_ACTIVITY_UNSPECIFIED;
  // Those within the time, and after what a utilization still says of the time before.
  size_t covering = 0;
  int64_t covered_to_ms = from_unix_ms;
  for (size_t i = range.first; i < range.last; ++i) {
    const int64_t time_ms = times_[Slot(i)];
    if (time_ms < from_unix_ms) continue;
    if (time_ms - covered_to_ms > kMaxGapMs) return v1::GPU_ACTIVITY_UNSPECIFIED;
    covered_to_ms = time_ms;
    if (time_ms >= from_unix_ms + kUtilizationWindowMs) ++covering;
  }
  const bool covers =
      covering >= 2 && covered_to_ms - from_unix_ms >= kMinCoveredMs && to_unix_ms - covered_to_ms <= kMaxTailMs;
  return covers ? v1::GPU_ACTIVITY_NONE : v1::GPU_ACTIVITY_UNSPECIFIED;
}

}  // namespace muster::agent
