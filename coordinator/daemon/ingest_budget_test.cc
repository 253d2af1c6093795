#include "coordinator/daemon/ingest_budget.h"

#include <gtest/gtest.h>

#include "coordinator/daemon/worker_pool.h"

namespace muster::coordinator {
namespace {

TEST(IngestBudget, WhoFindsNoRoomIsCalledWhenThereIs) {
  IngestBudget budget(100);
  int resumed = 0;
  EXPECT_TRUE(budget.HasRoom([&resumed] { ++resumed; }));
  budget.Take(60);
  EXPECT_TRUE(budget.HasRoom([&resumed] { ++resumed; }));
  budget.Take(60);
  EXPECT_FALSE(budget.HasRoom([&resumed] { ++resumed; }));
  EXPECT_FALSE(budget.HasRoom([&resumed] { ++resumed; }));
  budget.Give(10);
  EXPECT_EQ(resumed, 0) << "110 of 100 are still in use";
  budget.Give(50);
  EXPECT_EQ(resumed, 2);
  budget.Give(60);
  EXPECT_EQ(resumed, 2) << "each is called once";
  EXPECT_EQ(budget.used_bytes(), 0u);
}

TEST(WorkerPool, RunsWhatItTookAndRefusesWhatIsTooMuch) {
  std::atomic<int> ran = 0;
  base::Mutex gate;
  gate.Lock();
  int taken = 0;
  {
    WorkerPool pool(1, 2);
    for (int i = 0; i < 10; ++i) {
      taken += pool.TryPost([&ran, &gate] {
        base::MutexLock lock(gate);
        ++ran;
      });
    }
    EXPECT_GE(taken, 2);
    EXPECT_LE(taken, 3) << "two that wait and at most one that runs";
    gate.Unlock();
  }
  EXPECT_EQ(ran, taken);
}

}  // namespace
}  // namespace muster::coordinator
