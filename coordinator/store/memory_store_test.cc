#include "coordinator/store/memory_store_fake.h"
#include "coordinator/store/store_contract_test.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

class MemoryBackend {
 public:
  Store& store() { return store_; }
  void Restart() {}

 private:
  MemoryStoreFake store_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, StoreContract, MemoryBackend);

TEST(MemoryStoreFakeTest, AFailedCommitLeavesNothing) {
  MemoryStoreFake store;
  store.FailNext(1, absl::ResourceExhaustedError("full"));
  WriteBatch batch;
  batch.runs.push_back(MakeRun(kRun));
  EXPECT_TRUE(absl::IsResourceExhausted(store.Commit(batch)));
  EXPECT_FALSE(store.ReadRun(kRun).ok());
  EXPECT_TRUE(store.Commit(batch).ok());
  EXPECT_TRUE(store.ReadRun(kRun).ok());
}

}  // namespace
}  // namespace muster::coordinator
