// Makes one set of readings for a card of what its parts say: the card itself, its package, its tiles, its engines.
//
// Each reading comes with its rank. The lowest rank that has an answer for a field and place wins; readings of the same
// rank are combined. With SUM and MEAN a part that does not answer leaves the rank without an answer (half a sum is a
// lie); with MAX the others answer for it.
#ifndef MUSTER_AGENT_TELEMETRY_TILE_READINGS_H_
#define MUSTER_AGENT_TELEMETRY_TILE_READINGS_H_

#include <map>
#include <utility>
#include <vector>

#include "agent/telemetry/reading_set.h"
#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

enum class Combine { kSum, kMax, kMean };

// Usual ranks; where a part of a card has finer ones it says so.
inline constexpr int kCardRank = 0;
inline constexpr int kTileRank = 2;

class TileReadings {
 public:
  void Value(int rank, v1::TelemetryField field, const ReadingLabels& labels, Combine combine, double value);
  void Absent(int rank, v1::TelemetryField field, const ReadingLabels& labels, v1::Absence absence);

  ReadingSet Combined() const;

 private:
  struct Rank {
    Combine combine = Combine::kMax;
    std::vector<double> values;
    v1::Absence absence = v1::ABSENCE_UNSPECIFIED;
  };
  std::map<std::pair<v1::TelemetryField, ReadingLabels>, std::map<int, Rank>> places_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_TILE_READINGS_H_
