// The telemetry fields that an Intel GPU could have, and where: what is said to be absent when no source gives it.
//
// Not there: what only NVIDIA's GPUs have (P-states, row remaps, retired pages), and ECC_ERRORS: Intel's drivers count
// memory errors among the reliability errors (RAS_ERRORS, categories cache, memory and l3_fabric).
#ifndef MUSTER_AGENT_TELEMETRY_INTEL_FIELDS_H_
#define MUSTER_AGENT_TELEMETRY_INTEL_FIELDS_H_

#include <string>
#include <vector>

#include "agent/telemetry/reading_set.h"
#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

// In the order of the enum.
const std::vector<v1::TelemetryField>& IntelFields();

// The usual places of a field: temperatures of core and memory, one fan. Empty for a field that no Intel GPU has.
const std::vector<ReadingLabels>& IntelPlaces(v1::TelemetryField field);

// Adds an absence at the usual places of each field that `readings` has no reading of.
void AddAbsentFields(ReadingSet& readings, v1::Absence absence);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_INTEL_FIELDS_H_
