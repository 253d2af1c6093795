#include "suites/physical/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "suites/physical/device_memory.h"
#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

using testing::HasSubstr;

constexpr uint64_t kMiB = 1 << 20;

StreamReport OverHost(ComputeDevice& device, const StreamOptions& options, bool to_device) {
  const PinnedMemory host(device, options.bytes);
  return to_device ? StreamToDevice(device, host.data(), options) : StreamToHost(device, host.data(), true, options);
}

StreamReport Both(ComputeDevice& device, const StreamOptions& options, bool to_device) {
  const PinnedMemory source(device, options.bytes);
  const PinnedMemory target(device, options.bytes);
  StreamBothReport report = StreamBoth(device, source.data(), target.data(), options);
  return to_device ? report.to_device : report.to_host;
}

using Measured = std::function<StreamReport(ComputeDevice&, const StreamOptions&)>;

const std::map<std::string, Measured>& Streams() {
  static const auto& streams = *new std::map<std::string, Measured>{
      {"copy by driver", StreamCopyByDriver},
      {"copy by kernel", StreamCopyByKernel},
      {"read", StreamRead},
      {"write", StreamWrite},
      {"triad", StreamTriad},
      {"to device", [](auto& device, const auto& options) { return OverHost(device, options, true); }},
      {"to host", [](auto& device, const auto& options) { return OverHost(device, options, false); }},
      {"both, to device", [](auto& device, const auto& options) { return Both(device, options, true); }},
  };
  return streams;
}

class StreamOn : public DeviceTest {
 protected:
  StreamReport Run(const std::string& stream, const std::string& fault, uint64_t bytes = kMiB / 4) {
    const auto device = Device(64 * kMiB);
    const StreamOptions options = {.bytes = bytes, .warm_ups = 1, .repeats = 2, .fault = ParseTransferFault(fault)};
    return Streams().at(stream)(*device, options);
  }
};
INSTANTIATE_TEST_SUITE_P(Device, StreamOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(StreamOn, WhatIsMovedRightIsFoundRight) {
  for (const auto& [name, stream] : Streams()) {
    // Not a multiple of a group's share.
    const StreamReport report = Run(name, "", kMiB / 4 + 16 * 77);
    EXPECT_EQ(report.problem, "") << name;
    if (name.find("both") == std::string::npos) {
      EXPECT_EQ(report.seconds.size(), 2u) << name;
      EXPECT_GT(report.MedianRate(), 0) << name;
    }
  }
}

TEST_P(StreamOn, SlowIsNotWrong) {
  for (const auto& [name, stream] : Streams()) EXPECT_EQ(Run(name, "slow:3").problem, "") << name;
}

TEST_P(StreamOn, AChunkLeftOutIsFoundWithItsPlace) {
  for (const auto& [name, stream] : Streams()) {
    const std::string problem = Run(name, "drop:65536:4096").problem;
    if (name == "read") {
      EXPECT_THAT(problem, HasSubstr("regions are wrong, the first from offset 0x10000 to")) << name;
      EXPECT_THAT(problem, HasSubstr("a second reading finds all of it right")) << name;
      continue;
    }
    EXPECT_THAT(problem, HasSubstr("transfer 1: 256 of 16384 vectors")) << name;
    EXPECT_THAT(problem, HasSubstr("from offset 0x10000 to 0x10fff")) << name;
    EXPECT_THAT(problem, HasSubstr("what lay there before")) << name;
  }
}

TEST_P(StreamOn, AFlippedBitIsFoundWithItsPlace) {
  for (const auto& [name, stream] : Streams()) {
    const std::string problem = Run(name, "flip:1600:77").problem;
    EXPECT_THAT(problem, HasSubstr("1 of 16384 vectors")) << name;
    EXPECT_THAT(problem, HasSubstr("offset 0x640")) << name;
    EXPECT_THAT(problem, HasSubstr("1 bit of the first differs")) << name;
    EXPECT_THAT(problem, HasSubstr("differing bits 0x00000000000020000000000000000000")) << name;
  }
}

TEST_P(StreamOn, AShiftAndASwapAreFoundWithTheDistance) {
  for (const auto& [name, stream] : Streams()) {
    const std::string shifted = Run(name, "shift:4096").problem;
    const std::string swapped = Run(name, "swap").problem;
    if (name == "read") {
      EXPECT_THAT(shifted, HasSubstr("regions are wrong, the first from offset 0x0 to"));
      EXPECT_THAT(swapped, HasSubstr("regions are wrong, the first from offset 0x0 to"));
    } else if (name == "triad") {
      EXPECT_THAT(shifted, HasSubstr("of 16384 vectors"));
      EXPECT_THAT(swapped, HasSubstr("of 16384 vectors"));
    } else {
      EXPECT_THAT(shifted, HasSubstr("belongs at offset 4096, 4096 bytes further on")) << name;
      EXPECT_THAT(swapped, HasSubstr("belongs at offset 131072, 131072 bytes further on")) << name;
    }
  }
}

// What a pattern that repeats every 2 MiB cannot see, and what lies between the vectors.
TEST_P(StreamOn, AShiftByAnyNumberOfBytesIsFound) {
  for (const char* name : {"copy by driver", "to device", "to host", "both, to device"}) {
    for (const int by : {1, 5, 15, 17, 2 << 20}) {
      EXPECT_THAT(Run(name, "shift:" + std::to_string(by), 3 * kMiB).problem,
                  HasSubstr(std::to_string(by) + " bytes further on"))
          << name;
    }
  }
}

// Halves of one region: its sums are of the same vectors, in other places.
TEST_P(StreamOn, ReadsFromAnotherPlaceOfTheSameRegionAreFound) {
  EXPECT_EQ(Run("read", "", 32 << 10).problem, "");
  EXPECT_THAT(Run("read", "swap", 32 << 10).problem, HasSubstr("the sums of 1 of 1 regions are wrong"));
}

TEST_P(StreamOn, BothDirectionsAreVerified) {
  const auto device = Device(64 * kMiB);
  const StreamOptions options = {.bytes = kMiB, .repeats = 1, .fault = ParseTransferFault("drop:0:16")};
  EXPECT_THAT(Both(*device, options, true).problem, HasSubstr("1 of 65536"));
  EXPECT_THAT(Both(*device, options, false).problem, HasSubstr("1 of 65536"));
}

TEST(TransferFault, OtherTextsAreRefused) {
  EXPECT_EQ(ParseTransferFault(""), std::nullopt);
  for (const char* text : {"drop", "drop:1", "flip:1", "swap:1", "slow", "shift:x", "melt:1"})
    EXPECT_THROW(ParseTransferFault(text), sdk::ToolError) << text;
  HostDevice device(8 * kMiB);
  EXPECT_THROW(StreamCopyByDriver(device, {.bytes = 1024, .fault = ParseTransferFault("drop:1000:100")}),
               sdk::ToolError);
  EXPECT_THROW(StreamCopyByKernel(device, {.bytes = 1024, .fault = ParseTransferFault("shift:5")}), sdk::ToolError);
}

}  // namespace
}  // namespace muster::physical
