#include "agent/inventory/labels.h"

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

TEST(LabelsTest, MemoryIsTheNearestGib) {
  EXPECT_EQ(MemoryGib(uint64_t{143771} << 20), 140u);
  EXPECT_EQ(MemoryGib(uint64_t{24564} << 20), 24u);
  EXPECT_EQ(MemoryGib(uint64_t{81559} << 20), 80u);
  EXPECT_EQ(MemoryGib(0), 0u);
}

TEST(LabelsTest, ValuesKeepToTheRules) {
  EXPECT_EQ(LabelValue("Intel(R) Arc(TM) A770 Graphics"), "Intel-Arc-A770-Graphics");
  EXPECT_EQ(LabelValue("10de:2335"), "10de-2335");
  EXPECT_EQ(LabelValue("  (?)  "), "");
  EXPECT_EQ(LabelValue("_x_"), "x");
  EXPECT_EQ(LabelValue(std::string(62, 'a') + " b").size(), 62u);
  EXPECT_TRUE(ValidateLabels({{"model", LabelValue("G\xc3\xa9"
                                                   "Force RTX\x01 4090")}})
                  .ok());
}

TEST(LabelsTest, KeysAndValuesAreChecked) {
  for (const char* key : {"a", "a-b_c.D9", "example.com/x", "0"}) EXPECT_TRUE(ValidateLabels({{key, "v"}}).ok()) << key;
  for (const char* key : {"", "-a", "a-", "a b", "a/b/c", "/a", "a/", "Example.com/a", "a..b/c", "\xc3\xa9"}) {
    EXPECT_FALSE(ValidateLabels({{key, "v"}}).ok()) << key;
  }
  EXPECT_TRUE(ValidateLabels({{std::string(63, 'k'), std::string(63, 'v')}}).ok());
  EXPECT_FALSE(ValidateLabels({{std::string(64, 'k'), ""}}).ok());
  EXPECT_FALSE(ValidateLabels({{"k", std::string(64, 'v')}}).ok());
  EXPECT_FALSE(ValidateLabels({{"k", "a,b"}}).ok());
}

TEST(LabelsTest, ArchitectureFollowsComputeCapability) {
  const auto architecture = [](const char* capability) {
    v1::Device device;
    device.set_compute_capability(capability);
    const Labels labels = DeviceLabels(device);
    const auto found = labels.find("architecture");
    return found == labels.end() ? std::string() : found->second;
  };
  EXPECT_EQ(architecture("7.0"), "volta");
  EXPECT_EQ(architecture("7.5"), "turing");
  EXPECT_EQ(architecture("8.6"), "ampere");
  EXPECT_EQ(architecture("8.9"), "ada");
  EXPECT_EQ(architecture("9.0"), "hopper");
  EXPECT_EQ(architecture("12.0"), "blackwell");
  EXPECT_EQ(architecture("99.0"), "");
  EXPECT_EQ(architecture(""), "");
}

}  // namespace
}  // namespace muster::agent
