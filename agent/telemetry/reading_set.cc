#include "agent/telemetry/reading_set.h"

#include <algorithm>
#include <cmath>

namespace muster::agent {

void ReadingSet::Set(v1::TelemetryField field, const ReadingLabels& labels, double value) {
  if (!std::isfinite(value)) return SetAbsent(field, labels, v1::ABSENCE_FAILING);
  entries_[{field, labels}] = Entry{.value = value};
}

void ReadingSet::SetAbsent(v1::TelemetryField field, const ReadingLabels& labels, v1::Absence absence) {
  Entry& entry = entries_[{field, labels}];
  if (!entry.value) entry.absence = WorseAbsence(entry.absence, absence);
}

bool ReadingSet::HasValue(v1::TelemetryField field, const ReadingLabels& labels) const {
  const Entry* entry = Find(field, labels);
  return entry != nullptr && entry->value.has_value();
}

bool ReadingSet::Has(v1::TelemetryField field) const {
  const auto it = entries_.lower_bound({field, {}});
  return it != entries_.end() && it->first.first == field;
}

const ReadingSet::Entry* ReadingSet::Find(v1::TelemetryField field, const ReadingLabels& labels) const {
  const auto it = entries_.find({field, labels});
  return it == entries_.end() ? nullptr : &it->second;
}

void ReadingSet::Merge(const ReadingSet& other) {
  for (const auto& [key, theirs] : other.entries_) {
    const auto [it, added] = entries_.emplace(key, theirs);
    if (added) continue;
    Entry& ours = it->second;
    const bool maximum = key.first == v1::PCIE_LINK_GENERATION_MAX || key.first == v1::PCIE_LINK_LANES_MAX;
    if (ours.value && theirs.value) {
      if (maximum) ours.value = std::min(*ours.value, *theirs.value);
    } else if (theirs.value) {
      ours = theirs;
    } else if (!ours.value) {
      ours.absence = WorseAbsence(ours.absence, theirs.absence);
    }
  }
}

void ReadingSet::AppendTo(v1::DeviceSample& sample) const {
  for (const auto& [key, entry] : entries_) {
    v1::Reading& reading = *sample.add_readings();
    reading.set_field(key.first);
    for (const std::string& label : key.second) reading.add_labels(label);
    if (entry.value) {
      reading.set_value(*entry.value);
    } else {
      reading.set_absence(entry.absence);
    }
  }
}

// The enum is in this order.
v1::Absence WorseAbsence(v1::Absence a, v1::Absence b) { return std::max(a, b); }

}  // namespace muster::agent
