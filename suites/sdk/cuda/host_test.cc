// What of the CUDA side needs no GPU: judging return codes, medians, the pattern on the host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "suites/sdk/cuda/check.h"
#include "suites/sdk/cuda/device.h"
#include "suites/sdk/cuda/pattern.h"
#include "suites/sdk/cuda/timing.h"
#include "suites/sdk/outcome.h"

namespace muster::sdk::cuda {
namespace {

using testing::HasSubstr;

TEST(Check, TellsTheDevicesFaultFromTheTests) {
  EXPECT_NO_THROW(CUDA_CHECK(cudaSuccess));
  EXPECT_THROW(CUDA_CHECK(cudaErrorECCUncorrectable), DeviceFailure);
  EXPECT_THROW(CUDA_CHECK(cudaErrorIllegalAddress), DeviceFailure);
  EXPECT_THROW(CUDA_CHECK(cudaErrorLaunchFailure), DeviceFailure);
  EXPECT_THROW(CUDA_CHECK(cudaErrorMemoryAllocation), ToolError);
  EXPECT_THROW(CUDA_CHECK(cudaErrorInvalidValue), ToolError);
  EXPECT_THROW(CUDA_CHECK(cudaErrorNoKernelImageForDevice), ToolError);
}

TEST(Check, NamesTheCallAndTheError) {
  try {
    CUDA_CHECK(cudaErrorMemoryAllocation);
    FAIL();
  } catch (const ToolError& error) {
    EXPECT_THAT(error.what(), HasSubstr("cudaErrorMemoryAllocation"));
    EXPECT_THAT(error.what(), HasSubstr("host_test.cc"));
  }
}

TEST(Pattern, NoTwoWordsAreEqual) {
  std::set<uint64_t> words;
  for (uint64_t i = 0; i < 100'000; ++i) words.insert(PatternWord(i, 7));
  EXPECT_EQ(words.size(), 100'000u);
}

TEST(Pattern, EveryWrongWordIsFound) {
  std::vector<uint64_t> data(1000);
  FillPatternOnHost(data.data(), data.size(), 7);
  EXPECT_EQ(VerifyPatternOnHost(data.data(), data.size(), 7).Problem(), "");
  EXPECT_EQ(VerifyPatternOnHost(data.data(), data.size(), 8).wrong_words, 1000u);

  data[17] ^= 1;
  std::swap(data[400], data[401]);
  const Verification seen = VerifyPatternOnHost(data.data(), data.size(), 7);
  EXPECT_EQ(seen.wrong_words, 3u);
  ASSERT_EQ(seen.examples.size(), 3u);
  EXPECT_EQ(seen.examples[0].index, 17u);
  EXPECT_EQ(seen.examples[0].expected ^ seen.examples[0].found, 1u);
  EXPECT_THAT(seen.Problem(), HasSubstr("3 of 1000 words are wrong; word 17 (byte 0x88) expected 0x"));
}

TEST(Pattern, ExamplesAreBounded) {
  const std::vector<uint64_t> data(1000);
  const Verification seen = VerifyPatternOnHost(data.data(), data.size(), 7);
  EXPECT_GE(seen.wrong_words, 999u);
  EXPECT_EQ(seen.examples.size(), 16u);
}

TEST(DeviceScope, IsOnlyForNvidiasDevices) {
  v1::Device device;
  device.set_vendor(v1::VENDOR_INTEL);
  EXPECT_THROW(DeviceScope scope(device), DeviceSkipped);
}

}  // namespace
}  // namespace muster::sdk::cuda
