#include "suites/physical/host_group.h"

#include <gtest/gtest.h>

#include <vector>

#include "suites/physical/portable.h"

namespace muster::physical {
namespace {

TEST(HostGroup, NobodyPassesABarrierBeforeAllHaveComeToIt) {
  constexpr uint32_t kItems = 100;
  HostGroup group(kItems);
  uint32_t item = 0;
  for (int round = 0; round < 3; ++round) {
    std::vector<int> passed(kItems);
    group.Run([&](uint32_t i) { item = i; },
              [&] {
                const uint32_t me = item;
                for (int barrier = 0; barrier < 5; ++barrier) {
                  for (const int other : passed) EXPECT_GE(other, barrier);
                  host_barrier();
                  EXPECT_EQ(item, me);
                  passed[me] = barrier + 1;
                  host_barrier();
                }
              });
    EXPECT_EQ(passed, std::vector<int>(kItems, 5));
  }
}

TEST(HostGroup, WorkThatHasNoBarrierRunsOnceForEachItem) {
  HostGroup group(7);
  std::vector<uint32_t> order;
  uint32_t item = 0;
  group.Run([&](uint32_t i) { item = i; }, [&] { order.push_back(item); });
  EXPECT_EQ(order, (std::vector<uint32_t>{0, 1, 2, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace muster::physical
