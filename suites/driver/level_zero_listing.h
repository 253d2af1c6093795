// What Level Zero lists when nothing is masked: asked in a process of its own, for the mask of the leased devices
// (ZE_AFFINITY_MASK) is taken once and for all when Level Zero starts, and a driver that crashes there must not end
// ours.
#ifndef MUSTER_SUITES_DRIVER_LEVEL_ZERO_LISTING_H_
#define MUSTER_SUITES_DRIVER_LEVEL_ZERO_LISTING_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace muster::driver {

// PCI addresses of Intel's GPUs, one for each, empty where the driver does not say it. FailedPrecondition when Level
// Zero does not start, Aborted when it crashed; Internal when the question could not be asked.
absl::StatusOr<std::vector<std::string>> ListLevelZeroUnmasked();

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_LEVEL_ZERO_LISTING_H_
