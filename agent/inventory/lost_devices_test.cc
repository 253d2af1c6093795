#include "agent/inventory/lost_devices.h"

#include <gtest/gtest.h>

#include <string>

namespace muster::agent {
namespace {

v1::Device& Add(v1::Machine& machine, const std::string& address, const std::string& id, v1::DriverState state) {
  machine.set_boot_id("boot-1");
  v1::Device& device = *machine.add_devices();
  device.set_pci_address(address);
  device.set_id(id);
  device.set_driver_state(state);
  device.set_pci_vendor_id(0x10de);
  device.set_pci_device_id(0x2335);
  return device;
}

class LostDevicesTest : public ::testing::Test {
 protected:
  LostDevicesTest() {
    v1::Device& first = Add(before_, "0000:41:00.0", "GPU-1", v1::DRIVER_STATE_READY);
    first.set_uuid("GPU-1");
    first.set_model("NVIDIA H200");
    first.set_kernel_driver("nvidia");
    Add(before_, "0000:42:00.0", "GPU-2", v1::DRIVER_STATE_READY);
  }
  v1::Machine before_;
  v1::Machine now_;
};

TEST_F(LostDevicesTest, OneThatPciNoLongerShowsIsKept) {
  Add(now_, "0000:42:00.0", "GPU-2", v1::DRIVER_STATE_READY);
  KeepLostDevices(before_, now_);
  ASSERT_EQ(now_.devices_size(), 2);
  EXPECT_EQ(now_.devices(0).id(), "GPU-1");
  EXPECT_EQ(now_.devices(0).model(), "NVIDIA H200");
  EXPECT_EQ(now_.devices(0).driver_state(), v1::DRIVER_STATE_NOT_LISTED);
  EXPECT_NE(now_.devices(0).driver_problem().find("no longer"), std::string::npos);
  EXPECT_EQ(now_.devices(1).driver_state(), v1::DRIVER_STATE_READY);
}

TEST_F(LostDevicesTest, OneThatItsLibraryNoLongerListsKeepsItsIdentity) {
  v1::Device& bare = Add(now_, "0000:41:00.0", "machine/0000:41:00.0", v1::DRIVER_STATE_NOT_LISTED);
  bare.set_driver_problem("it lists 1");
  bare.set_kernel_driver("nvidia");
  Add(now_, "0000:42:00.0", "GPU-2", v1::DRIVER_STATE_READY);
  KeepLostDevices(before_, now_);
  ASSERT_EQ(now_.devices_size(), 2);
  EXPECT_EQ(now_.devices(0).id(), "GPU-1");
  EXPECT_EQ(now_.devices(0).uuid(), "GPU-1");
  EXPECT_EQ(now_.devices(0).driver_state(), v1::DRIVER_STATE_NOT_LISTED);
  EXPECT_EQ(now_.devices(0).driver_problem(), "it lists 1");
}

TEST_F(LostDevicesTest, AnotherCardOrBootIsNotTheSame) {
  v1::Device& other = Add(now_, "0000:41:00.0", "machine/0000:41:00.0", v1::DRIVER_STATE_UNBOUND);
  other.set_pci_device_id(0x2330);
  Add(now_, "0000:42:00.0", "GPU-2", v1::DRIVER_STATE_READY);
  KeepLostDevices(before_, now_);
  EXPECT_EQ(now_.devices(0).id(), "machine/0000:41:00.0");
  v1::Machine rebooted;
  rebooted.set_boot_id("boot-2");
  KeepLostDevices(before_, rebooted);
  EXPECT_EQ(rebooted.devices_size(), 0);
}

TEST_F(LostDevicesTest, OneThatMovedIsNotLost) {
  Add(now_, "0000:81:00.0", "GPU-1", v1::DRIVER_STATE_READY);
  Add(now_, "0000:42:00.0", "GPU-2", v1::DRIVER_STATE_READY);
  KeepLostDevices(before_, now_);
  EXPECT_EQ(now_.devices_size(), 2);
}

}  // namespace
}  // namespace muster::agent
