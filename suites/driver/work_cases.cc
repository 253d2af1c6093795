// What shows only while the GPU works: kernels that compute right, and clocks that hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "suites/driver/requirement.h"
#include "suites/sdk/child.h"
#include "suites/sdk/cuda/device.h"
#include "suites/sdk/cuda/memory.h"
#include "suites/sdk/cuda/pattern.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/sensors.h"
#include "suites/sdk/session.h"

namespace muster::driver {
namespace {

using sdk::cuda::DeviceBuffer;
using sdk::cuda::DeviceScope;
using sdk::cuda::PinnedBuffer;
using sdk::cuda::Stream;

// NVML's NVML_COMPUTEMODE_DEFAULT.
constexpr uint32_t kComputeModeDefault = 0;
constexpr uint64_t kSeed = 0x6D757374;
constexpr size_t kSmokeWords = (64 << 20) / sizeof(uint64_t);

// Allocates, launches, verifies all on the device and a copy of it on the host. What is wrong; empty when nothing is.
std::string Smoke() {
  const Stream stream;
  const DeviceBuffer<uint64_t> written(kSmokeWords);
  const DeviceBuffer<uint64_t> copied(kSmokeWords);
  sdk::cuda::FillPattern(stream, written.data(), kSmokeWords, kSeed);
  CUDA_CHECK(cudaMemcpyAsync(copied.data(), written.data(), written.bytes(), cudaMemcpyDeviceToDevice, stream.get()));
  if (const auto seen = VerifyPattern(stream, copied.data(), kSmokeWords, kSeed); seen.wrong_words != 0) {
    return "verified on the device: " + seen.Problem();
  }
  // The device must not vouch for itself: the host computes the pattern too.
  const PinnedBuffer<uint64_t> host(kSmokeWords);
  CUDA_CHECK(cudaMemcpyAsync(host.data(), copied.data(), copied.bytes(), cudaMemcpyDeviceToHost, stream.get()));
  stream.Wait();
  const auto seen = sdk::cuda::VerifyPatternOnHost(host.data(), kSmokeWords, kSeed);
  return seen.wrong_words == 0 ? "" : "verified on the host: " + seen.Problem();
}

TEST(smoke, compute) {
  sdk::ForEachDevice([](const v1::Device& device) {
    // Says better than CUDA what is missing.
    RequireNvml(device);
    const DeviceScope scope(device);
    EXPECT_EQ(Smoke(), "") << "expected a pattern to be written, copied and read back unchanged";
    sdk::ReportWork("bytes", 5.0 * kSmokeWords * sizeof(uint64_t));
  });
}

// The second process: the same on the device with this UUID, with a context of its own.
int SmokeInChild(const std::string& uuid) {
  try {
    const auto ordinal = sdk::cuda::OrdinalOf(uuid);
    if (!ordinal) return 4;
    CUDA_CHECK(cudaSetDevice(*ordinal));
    return Smoke().empty() ? 0 : 5;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "second process: %s\n", error.what());
    return 6;
  }
}
const sdk::ChildMode kSmokeMode("smoke", SmokeInChild);

TEST(smoke, two_processes) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const NvmlDevice found = RequireNvml(device);
    if (found.nvml.ComputeMode(found.handle).value_or(kComputeModeDefault) != kComputeModeDefault) {
      throw sdk::DeviceSkipped("the compute mode allows one process at a time");
    }
    const DeviceScope scope(device);
    // Ours holds its context, and works, while the others come and go.
    const DeviceBuffer<uint64_t> held(kSmokeWords);
    const Stream stream;
    sdk::cuda::FillPattern(stream, held.data(), kSmokeWords, kSeed + 1);
    std::vector<pid_t> children;
    for (int i = 0; i < 2; ++i) {
      const auto child = sdk::StartChild("smoke", device.uuid());
      if (!child.ok()) throw sdk::ToolError(std::string(child.status().message()));
      children.push_back(*child);
    }
    EXPECT_EQ(Smoke(), "") << "with two more processes on the GPU";
    for (const pid_t child : children) {
      const auto status = sdk::WaitForChild(child);
      EXPECT_EQ(status.value_or(-1), 0) << "expected the smoke test to pass in another process on " << device.uuid()
                                        << "; its standard error says why it did not";
    }
    const auto kept = VerifyPattern(stream, held.data(), kSmokeWords, kSeed + 1);
    EXPECT_EQ(kept.wrong_words, 0u) << "memory of one process changed while others worked: " << kept.Problem();
    sdk::ReportWork("bytes", 3 * 5.0 * kSmokeWords * sizeof(uint64_t));
  });
}

// Queues some of `work` and looks while it runs, over and over for `duration`.
void WhileWorking(const Stream& stream, std::chrono::milliseconds duration, const std::function<void()>& work,
                  const std::function<void()>& look) {
  const auto end = std::chrono::steady_clock::now() + duration;
  while (std::chrono::steady_clock::now() < end) {
    work();
    look();
    stream.Wait();
  }
}

TEST(clocks, throttle) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    const auto sensors = Need("sensors", sdk::Sensors::Open(device));
    const DeviceScope scope(device);
    const Stream stream;
    const size_t words = std::min<uint64_t>(1ull << 30, scope.FreeMemoryBytes() / 4) / sizeof(uint64_t);
    const DeviceBuffer<uint64_t> buffer(words);
    Need("clock events", sensors->ClockReasonBits());
    // Idleness from before the load says nothing.
    uint64_t seen = 0;
    double bytes = 0;
    WhileWorking(
        stream, std::chrono::milliseconds(800),
        [&] {
          for (int i = 0; i < 32; ++i) {
            sdk::cuda::FillPattern(stream, buffer.data(), words, kSeed + static_cast<uint64_t>(i));
            bytes += static_cast<double>(buffer.bytes());
          }
        },
        [&] { seen |= Need("clock events", sensors->ClockReasonBits()); });
    sdk::ReportWork("bytes", bytes);
    for (const sdk::ClockReason& reason : sensors->ClockReasons()) {
      if ((seen & reason.bit) == 0) continue;
      EXPECT_FALSE(reason.fault) << "expected clocks to hold under a short load, found: " << reason.name
                                 << "; look at cooling and power supply";
    }
    sdk::MeasureText("clocks.events", sdk::ClockReasonNames(sensors->ClockReasons(), seen));
  });
}

}  // namespace
}  // namespace muster::driver
