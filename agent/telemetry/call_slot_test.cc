#include "agent/telemetry/call_slot.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>

namespace muster::agent {
namespace {

TEST(CallSlotTest, WriterIsSeenThroughTheDescriptor) {
  const auto slot = CallSlot::Create();
  ASSERT_TRUE(slot.ok()) << slot.status();
  EXPECT_FALSE((*slot)->Read().sampling);
  CallSlotWriter writer((*slot)->fd());
  writer.Started();
  writer.BeginTurn();
  const int64_t before_ms = MonotonicMs();
  writer.Enter("0000:41:00.0", "nvmlDeviceGetTemperature");
  CallState state = (*slot)->Read();
  EXPECT_TRUE(state.sampling);
  EXPECT_EQ(state.device, "0000:41:00.0");
  EXPECT_EQ(state.call, "nvmlDeviceGetTemperature");
  EXPECT_GE(state.call_began_ms, before_ms);
  EXPECT_GT(state.turn_began_ms, 0);
  const uint64_t sequence = state.sequence;
  writer.Leave();
  EXPECT_EQ((*slot)->Read().call_began_ms, 0);
  writer.Enter("", "nvmlInit_v2");
  writer.EndTurn();
  state = (*slot)->Read();
  EXPECT_EQ(state.device, "");
  EXPECT_EQ(state.call, "nvmlInit_v2");
  EXPECT_NE(state.sequence, sequence);
  EXPECT_EQ(state.turn_began_ms, 0);
}

TEST(CallSlotTest, LongNamesAreCut) {
  const auto slot = CallSlot::Create();
  ASSERT_TRUE(slot.ok());
  CallSlotWriter writer((*slot)->fd());
  const std::string call(500, 'c');
  writer.Enter(std::string(500, 'd'), call.c_str());
  EXPECT_EQ((*slot)->Read().device, std::string(32, 'd'));
  EXPECT_EQ((*slot)->Read().call, std::string(64, 'c'));
}

TEST(CallSlotTest, ReaderNeverSeesHalfAName) {
  const auto slot = CallSlot::Create();
  ASSERT_TRUE(slot.ok());
  std::atomic<bool> done{false};
  std::atomic<bool> begun{false};
  std::thread child([&] {
    CallSlotWriter writer((*slot)->fd());
    const std::string device[] = {std::string(32, 'a'), std::string(32, 'b')};
    for (int i = 0; i < 200'000; ++i) {
      writer.Enter(device[i % 2], i % 2 == 0 ? "firstfirstfirst" : "secondsecondsecond");
      writer.Leave();
      begun = true;
    }
    done = true;
  });
  while (!begun) std::this_thread::yield();
  int torn = 0;
  int reads = 0;
  do {
    const CallState state = (*slot)->Read();
    ++reads;
    const bool whole = state.device == std::string(32, state.device.empty() ? ' ' : state.device[0]);
    // A writer that is always writing may outrun the reader's tries; then the sequence is odd.
    torn += !whole && state.sequence % 2 == 0;
  } while (!done);
  child.join();
  EXPECT_GT(reads, 0);
  EXPECT_LE(torn, reads / 100);
}

TEST(CallSlotTest, WhatIsNoSlotHarmsNobody) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {null, -1, 9999}) {
    CallSlotWriter writer(fd);
    writer.Enter("0000:41:00.0", "call");
    writer.Leave();
  }
  close(null);
}

TEST(CallSlotTest, WhatIsStillToBeginIsNonsense) {
  auto slot = CallSlot::Create();
  ASSERT_TRUE(slot.ok());
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (*slot)->fd(), 0);
  ASSERT_NE(page, MAP_FAILED);
  std::memset(page, 0x7F, 4096);
  EXPECT_EQ((*slot)->Read().call_began_ms, 0);
  EXPECT_EQ((*slot)->Read().turn_began_ms, 0);
  munmap(page, 4096);
}

TEST(CallSlotTest, MemoryCannotBeTakenAway) {
  const auto slot = CallSlot::Create();
  ASSERT_TRUE(slot.ok());
  EXPECT_NE(ftruncate((*slot)->fd(), 0), 0);
}

}  // namespace
}  // namespace muster::agent
