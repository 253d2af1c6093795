#include "base/event_loop.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/event_loop_fake.h"

namespace muster::base {
namespace {

TEST(ThreadEventLoop, RunsPostedTasksInOrderAndTimersOnce) {
  ThreadEventLoop loop;
  std::vector<int> seen;
  loop.Post([&] { seen.push_back(1); });
  loop.Post([&] { seen.push_back(2); });
  const EventLoop::TimerId cancelled = loop.RunAfter(0, [&] { seen.push_back(99); });
  loop.Cancel(cancelled);
  loop.RunAfter(1, [&] {
    seen.push_back(3);
    loop.Stop();
  });
  std::thread thread([&] { loop.Run(); });
  thread.join();
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3}));
}

TEST(ThreadEventLoop, FinishesWhatWasPostedBeforeStop) {
  ThreadEventLoop loop;
  int ran = 0;
  loop.Post([&] { ++ran; });
  loop.Stop();
  loop.Run();
  EXPECT_EQ(ran, 1);
}

TEST(FakeEventLoop, AdvanceRunsTimersInOrderOfTheirTime) {
  FakeEventLoop loop;
  std::vector<int64_t> seen;
  loop.RunAfter(20, [&] { seen.push_back(loop.Now().mono_ms); });
  loop.RunAfter(10, [&] {
    seen.push_back(loop.Now().mono_ms);
    loop.RunAfter(5, [&] { seen.push_back(loop.Now().mono_ms); });
  });
  loop.Advance(19);
  EXPECT_EQ(seen, (std::vector<int64_t>{10, 15}));
  loop.Advance(1);
  EXPECT_EQ(seen.back(), 20);
}

}  // namespace
}  // namespace muster::base
