#include "suites/physical/smoke.h"

#include <gtest/gtest.h>

#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

class SmokeOn : public DeviceTest {};
INSTANTIATE_TEST_SUITE_P(Device, SmokeOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(SmokeOn, AGoodDevicePasses) {
  const auto device = Device(8 << 20);
  EXPECT_EQ(Smoke(*device, 1 << 20, 1), "");
  EXPECT_EQ(device->FreeBytes(), 8u << 20);
}

TEST_P(SmokeOn, OneWrongBitIsSeenByDeviceAndHost) {
  const auto device = Device(8 << 20);
  PatternedMemory memory(*device, 1 << 20, 1);
  uint32_t word = 0;
  auto* const place = static_cast<uint32_t*>(memory.data()) + 4 * 1000 + 2;
  device->ReadBack(&word, place, sizeof(word));
  word ^= 1u << 9;
  device->Copy(place, &word, sizeof(word));
  device->Wait();
  EXPECT_EQ(memory.VerifyOnDevice().find("verified on the device: 1 vectors of 16 bytes are wrong; at byte 16000"), 0u)
      << memory.VerifyOnDevice();
  EXPECT_EQ(memory.VerifyOnHost().find("verified on the host: 1 vectors of 16 bytes are wrong; at byte 16000"), 0u)
      << memory.VerifyOnHost();
}

TEST_P(SmokeOn, OtherSeedsAreOtherValues) {
  const auto device = Device(8 << 20);
  PatternedMemory one(*device, 1 << 20, 1);
  PatternedMemory other(*device, 1 << 20, 2);
  device->Copy(one.data(), other.data(), 1 << 20);
  EXPECT_NE(one.VerifyOnDevice(), "");
  EXPECT_EQ(other.VerifyOnDevice(), "");
}

TEST_P(SmokeOn, NoMemoryIsAToolError) {
  const auto device = Device(1 << 20);
  EXPECT_THROW(Smoke(*device, 2 << 20, 1), sdk::ToolError);
  EXPECT_EQ(device->FreeBytes(), 1u << 20);
}

}  // namespace
}  // namespace muster::physical
