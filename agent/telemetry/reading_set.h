// The readings of one device in the making, one for each field and place, and how those of two sources become one set.
#ifndef MUSTER_AGENT_TELEMETRY_READING_SET_H_
#define MUSTER_AGENT_TELEMETRY_READING_SET_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

using ReadingLabels = std::vector<std::string>;

class ReadingSet {
 public:
  struct Entry {
    std::optional<double> value;
    v1::Absence absence = v1::ABSENCE_UNSPECIFIED;  // Without a value.
  };

  // A value that is no finite number is one that failed.
  void Set(v1::TelemetryField field, const ReadingLabels& labels, double value);
  // Does not take a value away.
  void SetAbsent(v1::TelemetryField field, const ReadingLabels& labels, v1::Absence absence);

  bool HasValue(v1::TelemetryField field, const ReadingLabels& labels) const;
  // A reading of the field, at any place, with a value or without.
  bool Has(v1::TelemetryField field) const;
  // Null when there is no such reading.
  const Entry* Find(v1::TelemetryField field, const ReadingLabels& labels) const;

  // `other` fills what this has not: a value beats an absence, this one's value beats the other's, and of two absences
  // the one that tells more stays (WorseAbsence). Of the PCIe maxima the lower value stays: one source knows the card
  // alone, the other its slot, too.
  void Merge(const ReadingSet& other);

  void AppendTo(v1::DeviceSample& sample) const;

 private:
  std::map<std::pair<v1::TelemetryField, ReadingLabels>, Entry> entries_;
};

// FAILING before NOT_PERMITTED before UNSUPPORTED: what one source cannot have, another should.
v1::Absence WorseAbsence(v1::Absence a, v1::Absence b);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_READING_SET_H_
