// Atomic additions over the links: all devices add to the same counters in one device's memory, at the same time. An
// addition that is lost, or made twice, shows in the sums.
#ifndef MUSTER_SUITES_PHYSICAL_PEER_ATOMICS_H_
#define MUSTER_SUITES_PHYSICAL_PEER_ATOMICS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "suites/physical/compute_device.h"

namespace muster::physical {

// A fault that the test makes by itself: `by` leaves out an addition at a slot of the counters on `at`.
struct AtomicsFault {
  size_t by = 0;
  size_t at = 0;
  uint32_t slot = 0;
};
// "BY:AT:SLOT", empty text: none. Throws ToolError for what is neither.
std::optional<AtomicsFault> ParseAtomicsFault(const std::string& text);

struct AtomicsReport {
  double additions = 0;
  double seconds = 0;  // Of all together, by the host's clock.
  // "in GPU 1's memory, with additions by GPU 0, GPU 1: …"; empty when every sum is right.
  std::string problem;
};

// `by` and `at` are places in the list; each of `by` reaches the memory of `at`.
AtomicsReport CountTogether(const std::vector<ComputeDevice*>& devices, const std::vector<size_t>& by, size_t at,
                            const std::optional<AtomicsFault>& fault);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_PEER_ATOMICS_H_
