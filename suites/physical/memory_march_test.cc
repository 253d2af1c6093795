#include "suites/physical/memory_march.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>

#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint64_t kMiB = 1 << 20;

class MarchOn : public DeviceTest {
 protected:
  MarchReport Marched(const std::string& fault, int level = 1, uint64_t largest_piece = 0) {
    const auto device = Device(5 * kMiB, largest_piece);
    return MarchMemory(*device, {.level = level, .seed = 7, .spare_bytes = kMiB / 2, .fault = ParseFault(fault)});
  }
};
INSTANTIATE_TEST_SUITE_P(Device, MarchOn, testing::Values("host", "opencl"), DeviceTestName);

TEST_P(MarchOn, GoodMemoryIsCoveredAndClean) {
  const MarchReport report = Marched("");
  EXPECT_EQ(report.wrong_vectors, 0u);
  EXPECT_EQ(report.bytes_tested, 4 * kMiB) << "4.5 MiB in grains of 2";
  EXPECT_EQ(report.bytes_moved, 4.0 * static_cast<double>(report.bytes_tested)) << "write, read and write, read";
  EXPECT_EQ(Marched("", 1, 2 * kMiB).bytes_tested, 4 * kMiB) << "memory that comes in pieces";
}

TEST_P(MarchOn, LevelTwoPassesOnGoodMemoryInOneAndInSeveralPieces) {
  EXPECT_EQ(Marched("", 2).wrong_vectors, 0u);
  EXPECT_EQ(Marched("", 2, 2 * kMiB).wrong_vectors, 0u);
}

TEST_P(MarchOn, AFlippedBitIsFoundWithItsAddressAndBit) {
  const MarchReport report = Marched("flip:1234:70");
  ASSERT_EQ(report.wrong_vectors, 1u);
  const MarchError& error = report.errors.at(0);
  EXPECT_EQ(error.offset_bytes, 1234u * 16);
  EXPECT_EQ(error.expected[2] ^ error.found[2], 1u << 6);
  EXPECT_EQ(error.found, error.again) << "the cell itself is wrong";
  EXPECT_NE(error.Describe().find("offset 0x4d20"), std::string::npos) << error.Describe();
}

// The hash has either value in every bit half of the time; the inverse pass has the other.
TEST_P(MarchOn, ABitStuckAtEitherValueIsFoundWhereverItIs) {
  for (const char* kind : {"stuck1", "stuck0"}) {
    for (const int vector : {0, 1, 511, 262143}) {
      for (const int bit : {0, 31, 64, 127}) {
        const std::string fault = std::string(kind) + ":" + std::to_string(vector) + ":" + std::to_string(bit);
        const MarchReport report = Marched(fault);
        ASSERT_EQ(report.wrong_vectors, 1u) << fault;
        EXPECT_EQ(report.errors.at(0).offset_bytes, static_cast<uint64_t>(vector) * 16) << fault;
      }
    }
  }
}

TEST_P(MarchOn, AliasedAddressesAreFoundForEveryAddressBit) {
  for (uint64_t bit = 1; bit < 4 * kMiB / 16; bit *= 2) {
    EXPECT_GT(Marched("alias:" + std::to_string(bit)).wrong_vectors, 0u) << bit;
  }
}

TEST_P(MarchOn, NamesTheAddressThatAnswersInPlaceOfAnother) {
  const MarchReport report = Marched("alias:4096");
  size_t named = 0;
  for (const MarchError& error : report.errors) {
    // Where groups run at the same time one may find what the other has turned over already.
    if (!error.owner_offset_bytes.has_value()) continue;
    ++named;
    EXPECT_EQ(*error.owner_offset_bytes ^ error.offset_bytes, 4096u * 16) << error.Describe();
  }
  EXPECT_GT(named, 0u);
  EXPECT_FALSE(Marched("flip:1234:70").errors.at(0).owner_offset_bytes.has_value())
      << "a flipped bit is nobody's value";
}

TEST(MemoryMarch, AHashTellsItsIndexAlsoBeyondFourGigaVectors) {
  for (const uint64_t index : {0ull, 1ull, 4294967295ull, 4294967296ull, 8808693759ull}) {
    for (const u32 inverted : {0u, 1u}) {
      const MarchPattern pattern = {MARCH_HASH, 0x12345678, 0, inverted};
      const u32x4 value = march_value(index, pattern);
      EXPECT_EQ(IndexOfHash(pattern, {value.x, value.y, value.z, value.w}), index);
    }
  }
}

// Every work item finds an error, on all processors at the same time, and the count's lower half runs over.
TEST_P(MarchOn, NoErrorIsLostAmongManyAndTheCountHas64Bits) {
  const auto device = Device(kMiB);
  void* const data = device->Allocate(kMiB / 2);
  void* const errors = device->Allocate(sizeof(MarchErrors));
  MarchArguments arguments = {};
  arguments.vectors = 64'000'000 / (512 * MARCH_IN_FLIGHT) * (512 * MARCH_IN_FLIGHT);
  arguments.alias_mask = ~uint64_t{kMiB / 2 / 16 - 1};  // The same memory again and again.
  arguments.expected = {MARCH_SOLID, 0, 0, 1};
  const MarchErrors before = {.count = 0xffffff00u};
  device->Copy(errors, &before, sizeof(before));
  device->Zero(data, kMiB / 2);
  device->Launch({.kernel = "march_verify",
                  .groups = arguments.vectors / (512 * MARCH_IN_FLIGHT),
                  .group_size = 512,
                  .buffers = {data, errors},
                  .arguments = &arguments,
                  .arguments_size = sizeof(arguments)});
  MarchErrors after;
  device->ReadBack(&after, errors, sizeof(after));
  EXPECT_EQ(after.count - before.count, arguments.vectors);
  EXPECT_GE(after.recorded, uint64_t{MARCH_RECORDS});
  std::set<uint64_t> places;
  for (const MarchRecord& record : after.records) {
    places.insert(record.index);
    EXPECT_EQ(record.found[0], 0u);
    EXPECT_EQ(record.expected[3], ~0u);
  }
  EXPECT_EQ(places.size(), size_t{MARCH_RECORDS});
}

TEST_P(MarchOn, StopsAtTheFirstStepWithErrorsAndKeepsABoundedNumber) {
  const MarchReport report = Marched("alias:1");
  EXPECT_GT(report.wrong_vectors, 1000u);
  EXPECT_EQ(report.errors.size(), 64u);
  EXPECT_EQ(report.errors.front().step, report.errors.back().step);
}

TEST(MemoryMarch, NoTwoVectorsOfAPassHoldTheSame) {
  std::set<std::tuple<u32, u32, u32, u32>> seen;
  const MarchPattern pattern = {MARCH_HASH, 0xdeadbeef, 0, 0};
  const uint64_t far = uint64_t{1} << 32;
  for (uint64_t index = 0; index < 100'000; ++index) {
    for (const uint64_t place : {index, index + far, index + 3 * far}) {
      const u32x4 value = march_value(place, pattern);
      EXPECT_TRUE(seen.insert({value.x, value.y, value.z, value.w}).second) << place;
    }
  }
}

TEST(MemoryMarch, HigherLevelsHoldTheLowerOnesAndOtherSeedsOtherValues) {
  size_t before = 0;
  for (int level = 1; level <= 4; ++level) {
    EXPECT_GT(MarchSteps(level, 1).size(), before);
    before = MarchSteps(level, 1).size();
  }
  EXPECT_NE(MarchSteps(1, 1)[0].written.key, MarchSteps(1, 2)[0].written.key);
}

TEST_P(MarchOn, RefusesFaultsThatItDoesNotKnowAndMemoryThatIsNotThere) {
  EXPECT_THROW(ParseFault("flip:1"), sdk::ToolError);
  EXPECT_THROW(ParseFault("flip:x:1"), sdk::ToolError);
  EXPECT_THROW(ParseFault("melt:1:1"), sdk::ToolError);
  EXPECT_FALSE(ParseFault("").has_value());
  EXPECT_THROW(Marched("flip:99999999:1"), sdk::ToolError);
  const auto full = Device(kMiB / 2);
  EXPECT_THROW(MarchMemory(*full, {}), sdk::ToolError);
}

}  // namespace
}  // namespace muster::physical
