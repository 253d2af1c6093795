// How long a device waits for one word of its memory: a ring of links in random order, each in a cache line of its own,
// followed by a single work item, so that nothing can be fetched ahead. The level that answers is the smallest that
// holds the ring.
//
// Times are of loads that also go through the device's address translation: a ring of hundreds of MiB takes more pages
// than the nearest translation caches hold, so the time for memory has some of that in it.
#ifndef MUSTER_SUITES_PHYSICAL_POINTER_CHASE_H_
#define MUSTER_SUITES_PHYSICAL_POINTER_CHASE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "suites/physical/compute_device.h"

namespace muster::physical {

struct ChaseOptions {
  uint64_t ring_bytes = 0;
  uint64_t steps = 0;
  int repeats = 1;
  // The ring lies in this device's memory, which the one that follows it reaches; null: in its own.
  ComputeDevice* at = nullptr;
  // The ring lies in the host's memory.
  bool in_host_memory = false;
  // The repeats go over links that no cache of the device holds any more; otherwise over a ring that was just followed.
  bool cold = false;
  // For the self-test: this link leads to the ring's first one.
  std::optional<uint64_t> broken_link;
};

struct ChaseReport {
  double seconds_per_step = 0;  // The median of the repeats.
  uint64_t steps = 0;           // Of all repeats.
  // "…"; empty when each chase ended where it must.
  std::string problem;
};

// Throws ToolError when there is not that much memory.
ChaseReport Chase(ComputeDevice& device, const ChaseOptions& options);

// Sizes of the rings: one that lies in the nearest cache, in the last cache, and in neither.
struct ChaseSizes {
  uint64_t l1 = 0;
  uint64_t l2 = 0;
  uint64_t memory = 0;
};
ChaseSizes ChaseSizesOf(const DeviceTraits& traits);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_POINTER_CHASE_H_
