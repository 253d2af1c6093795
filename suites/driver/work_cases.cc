// What shows only while the GPU works: clocks that hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "suites/driver/requirement.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/open_device.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/sensors.h"

namespace muster::driver {
namespace {

constexpr uint64_t kMostBytes = 1ull << 30;
// Queued between two looks.
constexpr int kCopies = 32;
constexpr auto kDuration = std::chrono::milliseconds(400);

TEST(clocks, throttle) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    const auto sensors = Need("sensors", sdk::Sensors::Open(device));
    const auto gpu = physical::OpenDevice(device);
    const uint64_t half = std::min(kMostBytes, gpu->FreeBytes() / 4) / 2 / 4096 * 4096;
    const physical::DeviceMemory memory(*gpu, 2 * half);
    auto* const begin = static_cast<char*>(memory.data());
    gpu->Zero(begin, 2 * half);
    Need("clock events", sensors->ClockReasonBits());
    // Idleness from before the load says nothing.
    uint64_t seen = 0;
    double bytes = 0;
    const auto end = std::chrono::steady_clock::now() + kDuration;
    do {
      for (int i = 0; i < kCopies; ++i) gpu->Copy(begin + half, begin, half);
      bytes += 2.0 * kCopies * static_cast<double>(half);
      seen |= Need("clock events", sensors->ClockReasonBits());
      gpu->Wait();
    } while (std::chrono::steady_clock::now() < end);
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
