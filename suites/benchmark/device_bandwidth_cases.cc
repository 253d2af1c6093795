// How fast device memory is read, written and copied, against bus width × clock.
//
// Bytes read and bytes written both count. Buffers are many times the cache; each repeat is verified.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "suites/physical/open_device.h"
#include "suites/physical/stream.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/peak.h"
#include "suites/sdk/session.h"

namespace muster::benchmark {
namespace {

using physical::ComputeDevice;
using physical::StreamOptions;
using physical::StreamReport;

constexpr uint64_t kMiB = 1 << 20;

// For `buffers` buffers: as large as the parameter says, four times that above level 1, and never more than 4/5 of the
// free memory for all.
StreamOptions OptionsFor(ComputeDevice& gpu, uint64_t buffers) {
  const bool quick = sdk::Session::Current().environment().level <= 1;
  const auto wanted = static_cast<uint64_t>(sdk::Parameter<int64_t>("buffer_mib")) * kMiB * (quick ? 1 : 4);
  const uint64_t fitting = gpu.FreeBytes() / 5 * 4 / buffers;
  return {.bytes = std::min(wanted, fitting) / kMiB * kMiB,
          .repeats = static_cast<int>(sdk::Parameter<int64_t>("repeats")),
          .fault = physical::ParseTransferFault(sdk::Parameter<std::string>("inject_transfer"))};
}

void Judge(const std::string& name, ComputeDevice& gpu, const StreamReport& report) {
  sdk::ReportWork("bytes", report.Moved());
  if (!report.problem.empty()) {
    ADD_FAILURE() << name << ": " << report.problem;
    return;
  }
  sdk::MeasureShare(name, report.MedianRate(), "B/s", MemoryBandwidthPeak(gpu.Traits().figures),
                    sdk::Parameter<double>("memory_floor"));
}

TEST(bandwidth, device_copy) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto gpu = physical::OpenDevice(device);
    Judge("bandwidth.device_copy.driver", *gpu, StreamCopyByDriver(*gpu, OptionsFor(*gpu, 2)));
    Judge("bandwidth.device_copy.kernel", *gpu, StreamCopyByKernel(*gpu, OptionsFor(*gpu, 2)));
  });
}

TEST(bandwidth, device_read) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto gpu = physical::OpenDevice(device);
    Judge("bandwidth.device_read.kernel", *gpu, StreamRead(*gpu, OptionsFor(*gpu, 1)));
  });
}

TEST(bandwidth, device_write) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto gpu = physical::OpenDevice(device);
    Judge("bandwidth.device_write.kernel", *gpu, StreamWrite(*gpu, OptionsFor(*gpu, 1)));
  });
}

TEST(bandwidth, device_triad) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto gpu = physical::OpenDevice(device);
    Judge("bandwidth.device_triad.kernel", *gpu, StreamTriad(*gpu, OptionsFor(*gpu, 3)));
  });
}

}  // namespace
}  // namespace muster::benchmark
