// Software under test that a part of a program knows of, for the report's head: at namespace scope,
//   const SoftwareInfo kRuntime("CUDA runtime", "13.0");
#ifndef MUSTER_SUITES_SDK_SOFTWARE_H_
#define MUSTER_SUITES_SDK_SOFTWARE_H_

#include <string>
#include <vector>

#include "suites/sdk/ocptv_report.h"

namespace muster::sdk {

class SoftwareInfo {
 public:
  SoftwareInfo(std::string name, std::string version);
};

// The registered ones and the drivers of the devices.
std::vector<Software> SoftwareUnderTest(const Environment& environment);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_SOFTWARE_H_
