// What shows only while the GPU works: clocks that hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "suites/driver/requirement.h"
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

constexpr uint64_t kSeed = 0x6D757374;
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
