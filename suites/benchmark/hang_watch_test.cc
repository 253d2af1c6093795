#include "suites/benchmark/hang_watch.h"

#include <gtest/gtest.h>

#include <atomic>

namespace muster::benchmark {
namespace {

constexpr double kLimitSeconds = 0.05;
constexpr int kNobody = -1;

TEST(HangWatch, NamesThePlaceThatHasBeenSilentLongest) {
  std::atomic<int> hung = kNobody;
  HangWatch watch(3, kLimitSeconds, [&](size_t place) { hung = static_cast<int>(place); });
  while (hung == kNobody) {
    watch.Beat(0);
    watch.Beat(2);
    std::this_thread::yield();
  }
  EXPECT_EQ(hung, 1);
}

TEST(HangWatch, DoesNotAskForAPlaceThatIsLeft) {
  std::atomic<int> hung = kNobody;
  HangWatch watch(2, kLimitSeconds, [&](size_t place) { hung = static_cast<int>(place); });
  watch.Beat(1);
  watch.Leave(0);
  watch.Beat(0);  // Too late.
  while (hung == kNobody) std::this_thread::yield();
  EXPECT_EQ(hung, 1);
}

TEST(HangWatch, EndsWithPlacesStillWatched) {
  std::atomic<int> calls = 0;
  {
    HangWatch watch(2, 1e6, [&](size_t) { ++calls; });
  }
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace muster::benchmark
