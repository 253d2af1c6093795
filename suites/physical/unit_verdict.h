// What follows from how often each unit of a device failed: pure counting, no device.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_VERDICT_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_VERDICT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace muster::physical {

struct UnitTally {
  uint64_t groups = 0;  // Of work that were run there.
  uint64_t wrong_groups = 0;
  // Launches with the same inputs after the first error: in which the unit took part, and failed.
  uint32_t retests = 0;
  uint32_t retests_failed = 0;
};
// By the unit's number.
using UnitTallies = std::map<uint32_t, UnitTally>;

// A line for each unit that failed, or one for all when all did: "permanent: unit 17 fails 10 of 10, others 0 of 1310".
// Of a device that does not name its units there is one tally, which stands for any of them.
std::vector<std::string> UnitVerdicts(const UnitTallies& tallies, bool names_units);

struct UnitPace {
  uint32_t unit = 0;
  double share = 1;  // Groups run there, by those of the median unit.
};
// The slowest first. The device hands a unit its next group when one has ended: the count is the pace. Empty for fewer
// than three units, or when the median unit ran fewer than 32 groups, which says nothing yet.
std::vector<UnitPace> UnitPaces(const UnitTallies& tallies);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_VERDICT_H_
