#include "agent/telemetry/tile_readings.h"

#include <algorithm>
#include <numeric>

namespace muster::agent {

void TileReadings::Value(int rank, v1::TelemetryField field, const ReadingLabels& labels, Combine combine,
                         double value) {
  Rank& at = places_[{field, labels}][rank];
  at.combine = combine;
  at.values.push_back(value);
}

void TileReadings::Absent(int rank, v1::TelemetryField field, const ReadingLabels& labels, v1::Absence absence) {
  Rank& at = places_[{field, labels}][rank];
  at.absence = WorseAbsence(at.absence, absence);
}

ReadingSet TileReadings::Combined() const {
  ReadingSet set;
  for (const auto& [place, ranks] : places_) {
    for (const auto& [number, rank] : ranks) {
      const bool complete = rank.absence == v1::ABSENCE_UNSPECIFIED || rank.combine == Combine::kMax;
      if (rank.values.empty() || !complete) {
        set.SetAbsent(place.first, place.second, rank.absence);
        continue;
      }
      double value = *std::max_element(rank.values.begin(), rank.values.end());
      if (rank.combine != Combine::kMax) value = std::accumulate(rank.values.begin(), rank.values.end(), 0.0);
      if (rank.combine == Combine::kMean) value /= static_cast<double>(rank.values.size());
      set.Set(place.first, place.second, value);
      break;
    }
  }
  return set;
}

}  // namespace muster::agent
