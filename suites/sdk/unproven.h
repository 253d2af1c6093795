// What the user must know of a run before its results: that the suite never ran on such devices.
#ifndef MUSTER_SUITES_SDK_UNPROVEN_H_
#define MUSTER_SUITES_SDK_UNPROVEN_H_

#include <string>
#include <vector>

#include "suites/sdk/environment.h"

namespace muster::sdk {

// A warning for each `unproven` of the manifest that selects a device of the run, with the devices and the reason.
// Simulated devices are no reason to warn.
std::vector<std::string> UnprovenWarnings(const Environment& environment);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_UNPROVEN_H_
