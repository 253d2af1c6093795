#include "suites/sdk/software.h"

#include <utility>

namespace muster::sdk {
namespace {

std::vector<Software>& Registered() {
  static auto& registered = *new std::vector<Software>;
  return registered;
}

}  // namespace

SoftwareInfo::SoftwareInfo(std::string name, std::string version) {
  Registered().push_back({.name = std::move(name), .version = std::move(version), .type = "APPLICATION"});
}

std::vector<Software> SoftwareUnderTest(const Environment& environment) {
  std::vector<Software> software = Registered();
  std::map<std::string, std::string> drivers;
  for (const v1::Device& device : environment.devices) {
    if (!device.driver_version().empty()) drivers[device.kernel_driver() + " driver"] = device.driver_version();
  }
  for (const auto& [name, version] : drivers) software.push_back({.name = name, .version = version, .type = "SYSTEM"});
  return software;
}

}  // namespace muster::sdk
