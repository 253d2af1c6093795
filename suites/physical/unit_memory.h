// The memory of each unit of a device, as work for a sweep over the units: local memory by a march, and the tags of the
// first and the last cache by windows that are read over and over in an order that jumps.
//
// That each unit has a window of its own, whose values are nobody else's, is the idea of DCGM's l1tag test; here values
// also change between rounds, which shows stale lines.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_MEMORY_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_MEMORY_H_

#include <cstdint>
#include <string>

#include "suites/physical/unit_sweep.h"

namespace muster::physical {

// All of the local memory that one group may have: `local_bytes`, a multiple of 4.
UnitWork SharedMemoryWork(uint32_t local_bytes, uint32_t group_size = 512);
// A window of `window_bytes` for each group, a power of two: one that the first cache holds tests its tags, one that
// together with those of all groups fills the last cache tests that one's.
UnitWork CacheTagsWork(uint32_t window_bytes, uint32_t group_size = 512);

// What an error of these works says of the place: "word 5 holds the value of word 4", "word 5 has bits 0x8 wrong";
// empty for a digest, which knows none.
std::string PlaceOf(const UnitError& error);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_MEMORY_H_
