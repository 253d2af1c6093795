#include "agent/inventory/level_zero_library.h"

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

TEST(LevelZeroLibraryTest, UuidsMadeOfThePlaceIdentifyNothing) {
  const uint8_t bytes[16] = {0x86, 0x80, 0xa0, 0x56, 8, 0, 0, 0, 3};
  EXPECT_EQ(FormatUuid(bytes), "8680a056-0800-0000-0300-000000000000");
  EXPECT_FALSE(UuidIdentifies(FormatUuid(bytes), 0x56a0));
  EXPECT_TRUE(UuidIdentifies("8680a056-0800-0000-0300-000000000000", 0x56a1));
  EXPECT_FALSE(UuidIdentifies("", 0x56a0));
  EXPECT_FALSE(UuidIdentifies("00000000-0000-0000-0000-000000000000", 0x56a0));
}

}  // namespace
}  // namespace muster::agent
