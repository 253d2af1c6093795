#include "suites/driver/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::driver {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

v1::Device Gpu(v1::Vendor vendor, const std::string& address) {
  v1::Device device;
  device.set_vendor(vendor);
  device.set_pci_address(address);
  return device;
}

using Devices = std::vector<v1::Device>;
const v1::Device kNvidia = Gpu(v1::VENDOR_NVIDIA, "0000:41:00.0");
const v1::Device kArc = Gpu(v1::VENDOR_INTEL, "0000:03:00.0");
const v1::Device kOfTheProcessor = Gpu(v1::VENDOR_INTEL, "0000:00:02.0");

TEST(VendorsConcernedTest, AreThoseLeasedAndThoseOnPci) {
  EXPECT_THAT(VendorsConcerned({}, Devices{}), IsEmpty());
  EXPECT_THAT(VendorsConcerned({}, absl::NotFoundError("no PCI")), IsEmpty());
  EXPECT_THAT(VendorsConcerned({kNvidia}, absl::NotFoundError("no PCI")), ElementsAre(v1::VENDOR_NVIDIA));
  EXPECT_THAT(VendorsConcerned({}, Devices{kArc}), ElementsAre(v1::VENDOR_INTEL));
  EXPECT_THAT(VendorsConcerned({kNvidia}, Devices{kArc}), ElementsAre(v1::VENDOR_INTEL, v1::VENDOR_NVIDIA));
}

TEST(VendorsConcernedTest, TheProcessorsGpuNeedsNoDriverBesideNvidias) {
  EXPECT_THAT(VendorsConcerned({kNvidia}, Devices{kNvidia, kOfTheProcessor}), ElementsAre(v1::VENDOR_NVIDIA));
  EXPECT_THAT(VendorsConcerned({kOfTheProcessor}, Devices{kNvidia, kOfTheProcessor}),
              ElementsAre(v1::VENDOR_INTEL, v1::VENDOR_NVIDIA));
  EXPECT_THAT(VendorsConcerned({}, Devices{kOfTheProcessor}), ElementsAre(v1::VENDOR_INTEL));
}

}  // namespace
}  // namespace muster::driver
