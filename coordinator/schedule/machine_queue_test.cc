#include "coordinator/schedule/machine_queue.h"

#include <deque>
#include <initializer_list>
#include <string>

#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

class MachineQueueTest : public ::testing::Test {
 protected:
  MachineQueueTest() { queue_.SetUsableDevices({"a", "b"}); }

  JobRecord* Add(std::initializer_list<const char*> devices, int priority = 0) {
    JobRecord& job = jobs_.emplace_back();
    job.order = jobs_.size();
    job.job.set_priority(priority);
    for (const char* device : devices) job.job.mutable_spec()->add_device_ids(device);
    queue_.Add(&job);
    return &job;
  }
  // As a grant does it.
  JobRecord* Take() {
    JobRecord* job = queue_.Next();
    if (job == nullptr) return nullptr;
    queue_.Remove(job);
    queue_.Hold(job);
    return job;
  }

  std::deque<JobRecord> jobs_;
  MachineQueue queue_;
};

TEST_F(MachineQueueTest, UrgentThenOld) {
  JobRecord* old = Add({"a"});
  JobRecord* young = Add({"a"});
  JobRecord* urgent = Add({"a"}, 1);
  for (JobRecord* expected : {urgent, old, young}) {
    EXPECT_EQ(Take(), expected);
    EXPECT_EQ(Take(), nullptr);
    queue_.Release(expected);
  }
  EXPECT_EQ(queue_.waiting(), 0u);
}

TEST_F(MachineQueueTest, DevicesAreApartAndSoIsTheMachine) {
  JobRecord* on_a = Add({"a"});
  JobRecord* on_b = Add({"b"});
  JobRecord* machine = Add({});
  JobRecord* machine_too = Add({});
  EXPECT_EQ(Take(), on_a);
  EXPECT_EQ(Take(), on_b);
  EXPECT_EQ(Take(), machine);
  EXPECT_EQ(Take(), nullptr);
  queue_.Release(machine);
  EXPECT_EQ(Take(), machine_too);
}

TEST_F(MachineQueueTest, AJobOfManyDevicesIsNotStarved) {
  JobRecord* first = Add({"a"});
  EXPECT_EQ(Take(), first);
  JobRecord* both = Add({"a", "b"});
  JobRecord* behind = Add({"b"});
  EXPECT_EQ(Take(), nullptr);  // "b" is free, and kept for `both`.
  queue_.Release(first);
  EXPECT_EQ(Take(), both);
  EXPECT_EQ(Take(), nullptr);
  queue_.Release(both);
  EXPECT_EQ(Take(), behind);
}

TEST_F(MachineQueueTest, AJobWhoseDeviceIsGoneHoldsNobodyUp) {
  JobRecord* both = Add({"a", "b"});
  JobRecord* on_b = Add({"b"});
  queue_.SetUsableDevices({"b"});
  EXPECT_TRUE(queue_.IsAside(both));
  EXPECT_EQ(Take(), on_b);
  queue_.Release(on_b);
  queue_.SetUsableDevices({"a", "b"});
  EXPECT_EQ(Take(), both);
  EXPECT_EQ(queue_.waiting(), 0u);
}

TEST_F(MachineQueueTest, RemovedJobsAreNotTaken) {
  JobRecord* both = Add({"a", "b"});
  queue_.Remove(both);
  queue_.Remove(both);
  EXPECT_EQ(queue_.waiting(), 0u);
  EXPECT_EQ(queue_.Next(), nullptr);
}

TEST_F(MachineQueueTest, WhoHoldsMayHold) {
  JobRecord* first = Add({"a"});
  JobRecord* second = Add({"a"});
  Take();
  EXPECT_TRUE(queue_.CanHold(*first));
  EXPECT_FALSE(queue_.CanHold(*second));
  queue_.Release(second);  // Not its own.
  EXPECT_FALSE(queue_.CanHold(*second));
}

}  // namespace
}  // namespace muster::coordinator
