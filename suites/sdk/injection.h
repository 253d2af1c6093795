// What the user must know of a run before its results: that it makes faults by itself.
#ifndef MUSTER_SUITES_SDK_INJECTION_H_
#define MUSTER_SUITES_SDK_INJECTION_H_

#include <string>
#include <vector>

#include "suites/sdk/environment.h"

namespace muster::sdk {

// A warning for each parameter of the run whose name begins with "inject" and that is not empty, false or 0.
std::vector<std::string> InjectionWarnings(const Environment& environment);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_INJECTION_H_
