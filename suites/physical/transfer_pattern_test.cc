#include "suites/physical/transfer_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "suites/physical/device_memory.h"
#include "suites/physical/device_test_base.h"

namespace muster::physical {
namespace {

using testing::HasSubstr;

constexpr uint64_t kBytes = 3 << 20;
constexpr TransferKeys kKeys = {.written = 7, .before = 8};

class PatternOn : public DeviceTest {};
INSTANTIATE_TEST_SUITE_P(Device, PatternOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(PatternOn, DeviceAndHostWriteTheSameAndFindTheSame) {
  const auto device = Device(8 << 20);
  const DeviceMemory memory(*device, kBytes);
  std::vector<char> data(kBytes);
  FillPattern(*device, memory.data(), kBytes, kKeys.written);
  device->ReadBack(data.data(), memory.data(), kBytes);
  EXPECT_EQ(CheckPatternOnHost(data.data(), kBytes, kKeys).Problem(), "");
  EXPECT_EQ(CheckPattern(*device, memory.data(), kBytes, kKeys).Problem(), "");

  data[16 * 1000 + 3] ^= 0x10;
  data[kBytes - 1] ^= 1;
  device->Copy(memory.data(), data.data(), kBytes);
  const auto on_host = CheckPatternOnHost(data.data(), kBytes, kKeys);
  const auto on_device = CheckPattern(*device, memory.data(), kBytes, kKeys);
  EXPECT_EQ(on_host.Problem(), on_device.Problem());
  EXPECT_EQ(on_host.wrong_vectors, 2u);
  EXPECT_EQ(on_host.first_offset, 16000u);
  EXPECT_EQ(on_host.last_offset, kBytes - 16);
}

TEST(TransferPattern, TellsWhereTheLastVectorBelongs) {
  std::vector<char> data(kBytes);
  FillPatternOnHost(data.data(), kBytes, kKeys.written);
  std::memcpy(data.data() + kBytes - 16, data.data() + 32, 16);
  EXPECT_THAT(CheckPatternOnHost(data.data(), kBytes, kKeys).Problem(),
              HasSubstr("belongs at offset 32, 3145680 bytes further back"));
}

TEST(TransferPattern, TellsOldDataFromForeignData) {
  std::vector<char> data(kBytes);
  FillPatternOnHost(data.data(), kBytes, kKeys.before);
  EXPECT_TRUE(CheckPatternOnHost(data.data(), kBytes, kKeys).old);
  FillPatternOnHost(data.data(), kBytes, 1234);
  const auto check = CheckPatternOnHost(data.data(), kBytes, kKeys);
  EXPECT_FALSE(check.old);
  EXPECT_FALSE(check.belongs_at);
  EXPECT_EQ(check.wrong_vectors, kBytes / 16);
}

}  // namespace
}  // namespace muster::physical
