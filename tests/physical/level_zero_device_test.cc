// The contract of LevelZeroDevice, on two simulated GPUs whose kernels the host computes. The environment that the
// simulated driver needs comes from CMakeLists.txt.
#include "suites/physical/level_zero_device.h"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include "suites/physical/api.kernels.h"
#include "suites/sdk/level_zero.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint32_t kWords = 1000;
constexpr uint64_t kBytes = kWords * sizeof(u32);

std::unique_ptr<LevelZeroDevice> Open(size_t index = 0) {
  const auto level_zero = sdk::LevelZero::Shared();
  if (!level_zero.ok()) throw sdk::ToolError(level_zero.status().ToString());
  return std::make_unique<LevelZeroDevice>(LevelZeroGpu::Of(**level_zero, (*level_zero)->Devices().at(index)));
}

// out = step(own, other, key), of as many words each; what ran first shows in the values.
void Step(ComputeDevice& device, void* own, void* other, void* out, u32 key, const KernelModule* module = nullptr) {
  const ApiStep step = {.words = kWords, .key = key};
  device.Launch({.kernel = "api_step",
                 .module = module,
                 .groups = 4,
                 .group_size = 64,
                 .buffers = {own, other, out},
                 .arguments = &step,
                 .arguments_size = sizeof(step)});
}

// Word i after steps with these keys, each with itself, from i on.
std::vector<u32> Expected(const std::vector<u32>& keys) {
  std::vector<u32> words(kWords);
  std::iota(words.begin(), words.end(), 0u);
  for (const u32 key : keys) {
    for (u32& word : words) word = api_step_value(word, word, key);
  }
  return words;
}

class LevelZeroDeviceTest : public testing::Test {
 protected:
  LevelZeroDeviceTest() : device_(Open()), words_(device_->Allocate(kBytes)) {
    device_->Copy(words_, Expected({}).data(), kBytes);
  }
  ~LevelZeroDeviceTest() override { device_->Free(words_); }

  std::vector<u32> Words() {
    std::vector<u32> words(kWords);
    device_->ReadBack(words.data(), words_, kBytes);
    return words;
  }

  std::unique_ptr<LevelZeroDevice> device_;
  void* const words_;
};

TEST_F(LevelZeroDeviceTest, WorkOfAQueueRunsInOrder) {
  for (const u32 key : {1, 2, 3}) Step(*device_, words_, words_, words_, key);
  EXPECT_EQ(Words(), Expected({1, 2, 3}));
}

TEST_F(LevelZeroDeviceTest, KeptWorkRunsEachTimeItIsQueuedAndInOrderWithTheRest) {
  const auto kept = device_->Capture([&] {
    Step(*device_, words_, words_, words_, 7);
    Step(*device_, words_, words_, words_, 8);
  });
  EXPECT_EQ(Words(), Expected({})) << "not before it is queued";
  Step(*device_, words_, words_, words_, 1);
  kept->Queue();
  Step(*device_, words_, words_, words_, 2);
  kept->Queue();
  kept->Queue();
  EXPECT_EQ(Words(), Expected({1, 7, 8, 2, 7, 8, 7, 8}));
}

TEST_F(LevelZeroDeviceTest, AQueueWaitsForAnothersEvent) {
  const auto other = device_->OpenQueue();
  std::vector<std::unique_ptr<QueueEvent>> events;
  std::vector<u32> keys;
  for (u32 key = 0; key < 40; ++key) {
    ComputeDevice& from = key % 2 == 0 ? static_cast<ComputeDevice&>(*device_) : *other;
    ComputeDevice& to = key % 2 == 0 ? *other : static_cast<ComputeDevice&>(*device_);
    Step(from, words_, words_, words_, key);
    events.push_back(from.Record());
    to.WaitFor(*events.back());
    keys.push_back(key);
  }
  EXPECT_EQ(Words(), Expected(keys));
}

TEST_F(LevelZeroDeviceTest, AWaitWithALimitEndsWithoutTheWorkAndALaterOneSeesItsEnd) {
  const auto other = device_->OpenQueue();
  const auto never_yet = std::make_unique<LevelZeroEvent>(
      LevelZeroGpu::Of(**sdk::LevelZero::Shared(), (*sdk::LevelZero::Shared())->Devices().front()));
  other->WaitFor(LevelZeroQueueEvent(std::shared_ptr<LevelZeroEvent>(never_yet.get(), [](LevelZeroEvent*) {})));
  Step(*other, words_, words_, words_, 5);
  EXPECT_FALSE(other->WaitAtMost(0.01));
  EXPECT_FALSE(other->WaitAtMost(0));
  const auto signal = (*sdk::LevelZero::Shared())->Function<decltype(&zeEventHostSignal)>("zeEventHostSignal");
  ASSERT_EQ(signal(never_yet->handle()), ZE_RESULT_SUCCESS);
  other->Wait();
  EXPECT_TRUE(other->WaitAtMost(10));
  EXPECT_EQ(Words(), Expected({5}));
}

TEST_F(LevelZeroDeviceTest, CopiesBetweenEveryKindOfMemory) {
  const auto peer = Open(1);
  EXPECT_TRUE(device_->ReachPeer(*peer));
  void* const on_peer = peer->Allocate(kBytes);
  void* const on_host = device_->AllocateHost(kBytes);
  device_->Copy(on_peer, words_, kBytes);
  device_->Zero(words_, kBytes);
  device_->Copy(on_host, on_peer, kBytes);
  EXPECT_EQ(Words(), std::vector<u32>(kWords, 0));
  device_->Copy(words_, on_host, kBytes);
  EXPECT_EQ(Words(), Expected({}));
  device_->FreeHost(on_host);
  peer->Free(on_peer);
}

TEST_F(LevelZeroDeviceTest, MemoryEndsWhereTheDevicesEndsAndComesBack) {
  const uint64_t free = device_->FreeBytes();
  EXPECT_EQ(device_->Allocate(free + 1), nullptr);
  void* const half = device_->Allocate(free / 2);
  ASSERT_NE(half, nullptr);
  EXPECT_LT(device_->FreeBytes(), free * 3 / 4);
  EXPECT_EQ(device_->Allocate(free / 2 + (1 << 20)), nullptr);
  device_->Free(half);
  EXPECT_EQ(device_->FreeBytes(), free);
  EXPECT_EQ(device_->AllocateHost(1ull << 62), nullptr);
}

TEST_F(LevelZeroDeviceTest, AModuleFromAFileComputesAndHalfOfItIsRefused) {
  const std::string path = testing::TempDir() + "/level_zero_device_test_module";
  const std::string image = device_->ModuleImage();
  std::ofstream(path, std::ios::binary) << image;
  const auto module = device_->LoadModule(path);
  ASSERT_NE(module, nullptr);
  Step(*device_, words_, words_, words_, 3, module.get());
  EXPECT_EQ(Words(), Expected({3}));
  std::ofstream(path, std::ios::binary | std::ios::trunc) << image.substr(0, image.size() / 2);
  EXPECT_EQ(device_->LoadModule(path), nullptr);
}

TEST_F(LevelZeroDeviceTest, AKernelThatThereIsNotIsRefusedAndTheDeviceGoesOn) {
  const u64 nothing = 0;
  EXPECT_THROW(device_->Launch({.kernel = "no_such", .arguments = &nothing, .arguments_size = sizeof(nothing)}),
               sdk::ToolError);
  Step(*device_, words_, words_, words_, 4);
  EXPECT_EQ(Words(), Expected({4}));
}

TEST_F(LevelZeroDeviceTest, TellsWhatItTookByItsOwnClock) {
  EXPECT_GE(device_->Seconds([] {}), 0);
  EXPECT_LT(device_->Seconds([] {}), 60);
  EXPECT_GT(device_->Seconds([&] {
    for (u32 i = 0; i < 200; ++i) Step(*device_, words_, words_, words_, i);
  }),
            0);
}

// 36 bits at 12.5 MHz begin anew after 5,498 s.
TEST_F(LevelZeroDeviceTest, TheClockThatBeginsAnewIsCountedOn) {
  LevelZeroGpu& gpu = LevelZeroGpu::Of(**sdk::LevelZero::Shared(), (*sdk::LevelZero::Shared())->Devices().front());
  const uint64_t turn = uint64_t{1} << 36;
  const double turn_seconds = static_cast<double>(turn) / 12.5e6;
  EXPECT_DOUBLE_EQ(gpu.SecondsBetween(100, 12'500'100, 1.01), 1);
  EXPECT_DOUBLE_EQ(gpu.SecondsBetween(turn - 12'500'000, 12'500'000, 2.2), 2);
  EXPECT_DOUBLE_EQ(gpu.SecondsBetween(5, 12'500'005, 2 * turn_seconds + 1.5), 2 * turn_seconds + 1);
}

TEST_F(LevelZeroDeviceTest, SaysWhatItIsMadeOf) {
  const DeviceTraits& traits = device_->Traits();
  EXPECT_EQ(traits.units, 32u);
  EXPECT_EQ(traits.subgroup_size, 32u);
  EXPECT_EQ(traits.local_memory_bytes, 64u << 10);
  EXPECT_EQ(traits.last_cache_bytes, 16u << 20);
  EXPECT_NEAR(*sdk::MatrixPeak(traits.figures, sdk::MatrixType::kFp32), 19.66e12, 0.01e12);
  EXPECT_GT(*sdk::MemoryBandwidthPeak(traits.figures), 1e11);
}

}  // namespace
}  // namespace muster::physical
