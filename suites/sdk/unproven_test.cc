#include "suites/sdk/unproven.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::sdk {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

v1::Device DeviceOf(const std::string& vendor, const std::string& address) {
  v1::Device device;
  (*device.mutable_labels())["vendor"] = vendor;
  device.set_model("A " + vendor);
  device.set_pci_address(address);
  return device;
}

Environment Mixed() {
  Environment environment;
  environment.devices = {DeviceOf("nvidia", "0000:41:00.0"), DeviceOf("intel", "0000:03:00.0"),
                         DeviceOf("intel", "0000:04:00.0")};
  environment.machine_labels = {{"room", "9"}};
  environment.unproven.emplace_back().set_devices("vendor=intel,room=9");
  environment.unproven.back().set_reason("never run there");
  return environment;
}

TEST(UnprovenWarnings, NameTheDevicesOfTheSelector) {
  EXPECT_THAT(UnprovenWarnings(Mixed()),
              ElementsAre("this suite is not proven on A intel 0000:03:00.0, A intel 0000:04:00.0 "
                          "(vendor=intel,room=9): never run there"));
}

TEST(UnprovenWarnings, AreNotForOtherDevicesOrSimulatedOnes) {
  Environment environment = Mixed();
  environment.devices.resize(1);
  EXPECT_THAT(UnprovenWarnings(environment), IsEmpty());
  environment = Mixed();
  for (v1::Device& device : environment.devices) device.set_simulated(true);
  EXPECT_THAT(UnprovenWarnings(environment), IsEmpty());
  environment = Mixed();
  environment.machine_labels.clear();
  EXPECT_THAT(UnprovenWarnings(environment), IsEmpty());
}

}  // namespace
}  // namespace muster::sdk
