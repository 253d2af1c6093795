#include "suites/physical/all_reduce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "suites/physical/all_reduce.kernels.h"
#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kBytes = 64 << 10;
constexpr ReduceType kTypes[] = {ReduceType::kInt32, ReduceType::kFp32, ReduceType::kBf16};

std::vector<std::string> Problems(size_t count, ReduceType type, uint64_t bytes, const std::string& fault) {
  std::vector<std::unique_ptr<HostDevice>> owned;
  std::vector<ComputeDevice*> devices;
  for (size_t i = 0; i < count; ++i) owned.push_back(std::make_unique<HostDevice>(1 << 20));
  for (const auto& device : owned) devices.push_back(device.get());
  const auto ring = MakeRingReducer(devices);
  AllReduce all(devices, *ring, kBytes, 9);
  return all.Run(type, bytes, 2, ParseReduceFault(fault)).problems;
}

TEST(AllReduce, SumsAreRightForEachTypeCountAndSize) {
  for (const size_t count : {2, 3, 5, 16}) {
    for (const ReduceType type : kTypes) {
      for (const uint64_t bytes : {uint64_t{4}, uint64_t{8}, uint64_t{1020}, kBytes})
        EXPECT_THAT(Problems(count, type, bytes, ""), IsEmpty()) << count << " " << bytes;
    }
  }
}

TEST(AllReduce, WhatADeviceDidNotGiveIsFoundEverywhereAndTheDeviceNamed) {
  for (const ReduceType type : kTypes) {
    const auto said = AllOf(HasSubstr("1 of 16384 words"), HasSubstr("word 777 at offset 0xc24"),
                            HasSubstr("it lacks what GPU 1 gave"));
    EXPECT_THAT(Problems(3, type, kBytes, "lacks:1:777"),
                ElementsAre(AllOf(HasSubstr("GPU 0, "), said), AllOf(HasSubstr("GPU 1, "), said),
                            AllOf(HasSubstr("GPU 2, "), said)));
  }
}

TEST(AllReduce, AWrongSumOnOneDeviceIsThatDevicesAlone) {
  for (const ReduceType type : kTypes) {
    EXPECT_THAT(Problems(3, type, kBytes, "flip:2:16383:31"),
                ElementsAre(AllOf(HasSubstr("GPU 2, sums of "), HasSubstr("word 16383 at offset 0xfffc"))));
  }
}

// A sum that came from the wrong place, or lacks anybody's part, is another sum.
TEST(AllReduce, NeighbouringSumsDiffer) {
  for (const ReduceType type : kTypes) {
    const ReduceArguments arguments = {.type = static_cast<u32>(type), .key = 77, .devices = 4};
    size_t same = 0;
    std::set<u32> values;
    for (u64 word = 0; word < 4096; ++word) {
      const u32 sum = reduce_sum_word(word, REDUCE_NOBODY, arguments);
      values.insert(sum);
      if (sum == reduce_sum_word(word + 1, REDUCE_NOBODY, arguments)) ++same;
    }
    EXPECT_LT(same, 4096u / 50) << ReduceTypeName(type);
    EXPECT_GT(values.size(), 500u) << ReduceTypeName(type);
  }
}

class AllReduceOn : public DeviceTest {};
INSTANTIATE_TEST_SUITE_P(Device, AllReduceOn, testing::Values("host", "opencl"), DeviceTestName);

// The kernels' arithmetic: what is filled adds up to what is expected, and a wrong word is seen.
TEST_P(AllReduceOn, FilledWordsAddUp) {
  const auto device = Device(8 << 20);
  constexpr uint64_t kWords = 100'003;
  const DeviceMemory sum(*device, kWords * 4);
  const DeviceMemory given(*device, kWords * 4);
  const DeviceMemory errors(*device, sizeof(ReduceErrors));
  for (const ReduceType type : kTypes) {
    ReduceArguments arguments = {.words = kWords, .type = static_cast<u32>(type), .key = 3, .devices = 16};
    const auto launch = [&](const char* kernel, std::vector<void*> buffers) {
      device->Launch({.kernel = kernel,
                      .groups = 7,
                      .group_size = 64,
                      .buffers = std::move(buffers),
                      .arguments = &arguments,
                      .arguments_size = sizeof(arguments)});
    };
    device->Zero(sum.data(), kWords * 4);
    for (arguments.device = 0; arguments.device < 16; ++arguments.device) {
      launch("reduce_fill", {given.data()});
      launch("reduce_add", {sum.data(), given.data()});
    }
    ReduceErrors seen;
    device->Zero(errors.data(), sizeof(seen));
    launch("reduce_verify", {sum.data(), errors.data()});
    device->ReadBack(&seen, errors.data(), sizeof(seen));
    EXPECT_EQ(seen.count, 0u) << ReduceTypeName(type);
    arguments.devices = 15;
    launch("reduce_verify", {sum.data(), errors.data()});
    device->ReadBack(&seen, errors.data(), sizeof(seen));
    EXPECT_GT(seen.count, kWords * 9 / 10) << "one device too many: " << ReduceTypeName(type);
    EXPECT_GE(seen.recorded, uint64_t{REDUCE_RECORDS});
  }
}

TEST(ReduceFaults, AreParsedStrictly) {
  EXPECT_FALSE(ParseReduceFault("").has_value());
  for (const char* text : {"lacks", "lacks:1", "flip:1:2", "flip:1:2:32", "gone:1:2", "lacks:1:2:3"})
    EXPECT_THROW(ParseReduceFault(text), sdk::ToolError) << text;
  EXPECT_THROW(Problems(2, ReduceType::kFp32, 8, "lacks:2:0"), sdk::ToolError);
  EXPECT_THROW(Problems(2, ReduceType::kFp32, 8, "lacks:1:2"), sdk::ToolError);
}

TEST(AllReduce, MoreDevicesThanSumsAreExactForAreRefused) {
  EXPECT_THROW(Problems(17, ReduceType::kBf16, 8, ""), sdk::DeviceSkipped);
}

}  // namespace
}  // namespace muster::physical
