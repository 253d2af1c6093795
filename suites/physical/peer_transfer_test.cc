#include "suites/physical/peer_transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "suites/physical/device_test_base.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kBytes = 1 << 20;
constexpr PeerMethod kMethods[] = {PeerMethod::kCopy, PeerMethod::kLoads, PeerMethod::kStores};

class PeerTransfersTest : public testing::Test {
 protected:
  explicit PeerTransfersTest(size_t count = 3) {
    for (size_t i = 0; i < count; ++i) owned_.push_back(std::make_unique<HostDevice>(64 << 20));
    for (const auto& device : owned_) devices_.push_back(device.get());
  }
  // What is wrong with each of the pairs.
  std::vector<std::string> Problems(const std::vector<PeerPair>& pairs, PeerMethod method, const std::string& fault) {
    PeerTransfers transfers(devices_, kBytes, 5);
    std::vector<std::string> problems;
    for (const PeerResult& result : transfers.Run(pairs, method, ParsePeerFault(fault)).results)
      problems.push_back(result.problem);
    return problems;
  }
  std::string Problem(const std::string& fault, PeerMethod method = PeerMethod::kCopy) {
    return Problems({{0, 1}}, method, fault).at(0);
  }

  std::vector<std::unique_ptr<ComputeDevice>> owned_;
  std::vector<ComputeDevice*> devices_;
};

class TwoDevicesTest : public PeerTransfersTest {
 protected:
  TwoDevicesTest() : PeerTransfersTest(2) {}
};

TEST_F(PeerTransfersTest, WhatArrivesWholeIsGood) {
  PeerTransfers transfers(devices_, kBytes, 5);
  const std::vector<PeerPair> all = {{0, 1}, {0, 2}, {1, 0}, {1, 2}, {2, 0}, {2, 1}};
  for (const PeerMethod method : kMethods) {
    for (const std::vector<PeerPair>& pairs : {std::vector<PeerPair>{{2, 0}}, {{0, 1}, {1, 0}}, all}) {
      const PeerRound round = transfers.Run(pairs, method, std::nullopt);
      ASSERT_EQ(round.results.size(), pairs.size());
      for (const PeerResult& result : round.results) {
        EXPECT_THAT(result.problem, IsEmpty());
        EXPECT_EQ(result.bytes, pairs == all ? kBytes / 2 : kBytes) << "each device is in two pairs one way";
        EXPECT_GT(result.seconds, 0);
      }
      EXPECT_GT(round.BytesPerSecond(), 0);
    }
  }
  EXPECT_TRUE(transfers.Reach({0, 2}));
}

TEST_F(PeerTransfersTest, EachFaultIsFoundNamedAndPlacedByEachMethod) {
  for (const PeerMethod method : kMethods) {
    const std::string pair = std::string("from GPU 0 to GPU 1, by ") + PeerMethodName(method);
    EXPECT_THAT(Problem("0:1:drop:65536:4096", method),
                AllOf(HasSubstr(pair), HasSubstr("256 of 65536 vectors"), HasSubstr("from offset 0x10000 to 0x10fff"),
                      HasSubstr("what lay there before")));
    EXPECT_THAT(Problem("0:1:shift:64", method), AllOf(HasSubstr(pair), HasSubstr("belongs at offset 64")));
    EXPECT_THAT(Problem("0:1:shift:3", method), AllOf(HasSubstr(pair), HasSubstr("belongs at offset 3")));
    EXPECT_THAT(Problem("0:1:flip:4096:77", method),
                AllOf(HasSubstr(pair), HasSubstr("from offset 0x1000 to 0x100f"), HasSubstr("1 bit of the first")));
    EXPECT_THAT(Problem("0:1:swap", method), AllOf(HasSubstr(pair), HasSubstr("belongs at offset 524288")));
    EXPECT_THAT(Problem("0:1:source", method),
                AllOf(HasSubstr(pair), HasSubstr("came from GPU 2's memory, where it lies at offset 0")));
  }
}

TEST_F(TwoDevicesTest, DataFromTheWrongDeviceAreToldApart) {
  EXPECT_THAT(Problem("0:1:source"), HasSubstr("came from GPU 1's memory"));
  const auto both = Problems({{0, 1}, {1, 0}}, PeerMethod::kStores, "1:0:source");
  EXPECT_THAT(both[0], IsEmpty());
  EXPECT_THAT(both[1], AllOf(HasSubstr("from GPU 1 to GPU 0"), HasSubstr("came from GPU 0's memory")));
}

TEST_F(PeerTransfersTest, AFaultOfOnePairAmongManyIsThatPairsAlone) {
  const std::vector<PeerPair> pairs = {{0, 1}, {0, 2}, {1, 0}, {1, 2}, {2, 0}, {2, 1}};
  const auto problems = Problems(pairs, PeerMethod::kCopy, "1:2:flip:0:0");
  for (size_t i = 0; i < pairs.size(); ++i) EXPECT_EQ(problems[i].empty(), i != 3) << problems[i];
}

TEST(PeerFaults, AreParsedStrictly) {
  EXPECT_FALSE(ParsePeerFault("").has_value());
  EXPECT_EQ(ParsePeerFault("3:1:source")->pair, (PeerPair{3, 1}));
  for (const char* text : {"0:1", "0:0:source", "a:1:source", "0:1:gone", "source"})
    EXPECT_THROW(ParsePeerFault(text), sdk::ToolError) << text;
}

TEST(PeerTransfers, WithoutMemoryItCannotTell) {
  HostDevice small(kBytes);
  HostDevice other(16 * kBytes);
  EXPECT_THROW(PeerTransfers({&small, &other}, kBytes, 1), sdk::ToolError);
}

}  // namespace
}  // namespace muster::physical
