#include "agent/telemetry/intel_fields.h"

#include <map>

namespace muster::agent {
namespace {

using Places = std::vector<ReadingLabels>;

Places RasPlaces() {
  Places places;
  for (const char* kind : {"corrected", "uncorrected"}) {
    for (const char* category : {"reset", "programming", "driver", "compute", "non_compute", "cache"}) {
      places.push_back({kind, category});
    }
  }
  return places;
}

const std::map<v1::TelemetryField, Places>& AllPlaces() {
  static const auto& places = *new std::map<v1::TelemetryField, Places>{
      {v1::TEMPERATURE, {{"core"}, {"memory"}}},
      {v1::TEMPERATURE_LIMIT, {{"throttle"}}},
      {v1::POWER, {{"card"}}},
      {v1::POWER_LIMIT, {{"enforced"}, {"default"}, {"minimum"}, {"maximum"}}},
      {v1::ENERGY, {{"card"}}},
      {v1::CLOCK, {{"graphics"}}},
      {v1::CLOCK_MAX, {{"graphics"}}},
      {v1::THROTTLED, {{"power"}, {"thermal"}, {"hw_power_brake"}, {"current"}, {"setting"}, {"other"}}},
      {v1::THROTTLE_SECONDS, {{"any"}}},
      {v1::UTILIZATION, {{"gpu"}, {"compute"}, {"copy"}, {"render"}, {"media"}}},
      {v1::ENGINE_ACTIVE_SECONDS, {{"gpu"}, {"compute"}, {"copy"}, {"render"}, {"media"}}},
      {v1::MEMORY_SIZE, {{}}},
      {v1::MEMORY_USED, {{}}},
      {v1::MEMORY_FREE, {{}}},
      {v1::MEMORY_RESERVED, {{}}},
      {v1::MEMORY_READ_BYTES, {{}}},
      {v1::MEMORY_WRITTEN_BYTES, {{}}},
      {v1::MEMORY_BANDWIDTH_MAX, {{}}},
      {v1::PCIE_LINK_GENERATION, {{}}},
      {v1::PCIE_LINK_GENERATION_MAX, {{}}},
      {v1::PCIE_LINK_LANES, {{}}},
      {v1::PCIE_LINK_LANES_MAX, {{}}},
      {v1::PCIE_THROUGHPUT, {{"receive"}, {"transmit"}}},
      {v1::PCIE_BYTES, {{"receive"}, {"transmit"}}},
      {v1::PCIE_REPLAYS, {{}}},
      {v1::RAS_ERRORS, RasPlaces()},
      {v1::LINK_UP, {{"0"}}},
      {v1::LINK_BANDWIDTH, {{"0"}}},
      {v1::LINK_BYTES, {{"0", "receive"}, {"0", "transmit"}}},
      {v1::LINK_ERRORS, {{"0", "fw_error"}, {"0", "fw_comm_error"}}},
      {v1::FAN_SPEED_RATIO, {{"0"}}},
      {v1::FAN_SPEED_RPM, {{"0"}}},
      {v1::PROCESSES, {{"compute"}, {"graphics"}}},
      {v1::WEDGED, {{}}},
  };
  return places;
}

}  // namespace

const std::vector<v1::TelemetryField>& IntelFields() {
  static const auto& fields = *new std::vector<v1::TelemetryField>([] {
    std::vector<v1::TelemetryField> all;
    for (const auto& [field, places] : AllPlaces()) all.push_back(field);
    return all;
  }());
  return fields;
}

const std::vector<ReadingLabels>& IntelPlaces(v1::TelemetryField field) {
  static const Places& none = *new Places;
  const auto it = AllPlaces().find(field);
  return it == AllPlaces().end() ? none : it->second;
}

void AddAbsentFields(ReadingSet& readings, v1::Absence absence) {
  for (v1::TelemetryField field : IntelFields()) {
    if (readings.Has(field)) continue;
    for (const ReadingLabels& labels : IntelPlaces(field)) readings.SetAbsent(field, labels, absence);
  }
}

}  // namespace muster::agent
