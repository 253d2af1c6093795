#include "suites/physical/peer_atomics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "suites/physical/host_device.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

TEST(PeerAtomics, EveryAdditionCountsAndALostOneIsFound) {
  HostDevice first(1 << 20);
  HostDevice second(1 << 20);
  const std::vector<ComputeDevice*> devices = {&first, &second};
  const AtomicsReport good = CountTogether(devices, {0, 1}, 1, std::nullopt);
  EXPECT_EQ(good.problem, "");
  EXPECT_EQ(good.additions, 2.0 * 65536 * 32);
  EXPECT_EQ(CountTogether(devices, {1}, 0, std::nullopt).problem, "");
  const auto fault = ParseAtomicsFault("0:1:4095");
  EXPECT_EQ(CountTogether(devices, {0, 1}, 1, fault).problem,
            "in GPU 1's memory, with additions by GPU 0, GPU 1: 1 of 4096 sums are wrong; slot 4095: expected 1024, "
            "found 1023");
  EXPECT_EQ(CountTogether(devices, {0, 1}, 0, fault).problem, "") << "the fault is in the other one's memory";
}

TEST(AtomicsFaults, AreParsedStrictly) {
  EXPECT_FALSE(ParseAtomicsFault("").has_value());
  for (const char* text : {"0:1", "0:1:4096", "a:1:2", "0:1:2:3"})
    EXPECT_THROW(ParseAtomicsFault(text), sdk::ToolError) << text;
}

}  // namespace
}  // namespace muster::physical
