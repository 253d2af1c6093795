#include "coordinator/fleet/device_name.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;

v1::Machine TwoDevices() {
  v1::Machine machine;
  machine.set_name("m1");
  v1::Device& later = *machine.add_devices();
  later.set_id("id-b");
  later.set_uuid("GPU-BBBB");
  later.set_pci_address("0000:c1:00.0");
  later.set_model("NVIDIA H200");
  v1::Device& first = *machine.add_devices();
  first.set_id("id-a");
  first.set_pci_address("0000:41:00.0");
  return machine;
}

TEST(DeviceName, ADeviceHasSeveralNames) {
  const v1::Machine machine = TwoDevices();
  for (const char* name : {"id-b", "GPU-BBBB", "gpu-bbbb", "0000:c1:00.0", "0000:C1:00.0", "c1:00.0", "1"}) {
    EXPECT_EQ(ResolveDevice(machine, name).value_or("none"), "id-b") << name;
  }
  EXPECT_EQ(ResolveDevice(machine, "0").value_or("none"), "id-a") << "by PCI address, not as listed";
}

TEST(DeviceName, AnUnknownOneIsToldWhatThereIs) {
  for (const char* name : {"", "2", "GPU-CCCC", "c1:00.1", "-1"}) {
    const auto found = ResolveDevice(TwoDevices(), name);
    EXPECT_TRUE(absl::IsNotFound(found.status())) << name;
    EXPECT_THAT(found.status().message(), HasSubstr("GPU 0 (0000:41:00.0), GPU 1 (NVIDIA H200 at 0000:c1:00.0)"));
  }
  v1::Machine bare;
  bare.set_name("m2");
  EXPECT_THAT(ResolveDevice(bare, "0").status().message(), HasSubstr("machine m2 has no device \"0\"; it has none"));
}

TEST(DeviceName, ADeviceIsDescribed) {
  EXPECT_EQ(DescribeDevice(TwoDevices(), "id-b"), "GPU 1 (NVIDIA H200 at 0000:c1:00.0)");
  EXPECT_EQ(DescribeDevice(TwoDevices(), "pulled"), "device pulled");
}

}  // namespace
}  // namespace muster::coordinator
