// The PCI link while it carries data.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "suites/driver/device_records.h"
#include "suites/driver/requirement.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/open_device.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"

namespace muster::driver {
namespace {

constexpr uint64_t kBytes = 64 << 20;
constexpr int kCopiesQueued = 8;
constexpr std::chrono::milliseconds kDuration(150);

void Raise(v1::PciLink& best, const v1::PciLink& now) {
  best.set_generation(std::max(best.generation(), now.generation()));
  best.set_width(std::max(best.width(), now.width()));
}

TEST(link, pci) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto records = DeviceRecords::Open(device);
    const auto gpu = physical::OpenDevice(device);
    const physical::DeviceMemory on_device(*gpu, kBytes);
    const physical::PinnedMemory on_host(*gpu, kBytes);
    // Links go down when idle: the highest state seen under load counts.
    v1::PciLink best = Need("the PCI link", records->Link());
    double bytes = 0;
    const auto end = std::chrono::steady_clock::now() + kDuration;
    while (std::chrono::steady_clock::now() < end) {
      for (int i = 0; i < kCopiesQueued; ++i) gpu->Copy(on_device.data(), on_host.data(), kBytes);
      Raise(best, Need("the PCI link", records->Link()));
      gpu->Wait();
      bytes += static_cast<double>(kCopiesQueued) * kBytes;
    }
    sdk::ReportWork("bytes", bytes);
    // A virtual machine's bridge may give the GPU no link of its own to read; a GPU of the processor has none.
    if (best.generation() == 0 || best.width() == 0 || best.max_generation() == 0 || best.max_width() == 0) {
      throw sdk::DeviceSkipped(absl::StrCat("the PCI link reads generation ", best.generation(), " of ",
                                            best.max_generation(), ", width ", best.width(), " of ", best.max_width(),
                                            ": hidden by a virtual machine, or the GPU is part of the processor"));
    }
    sdk::Measure("link.pci_generation", best.generation(), "1").AtLeast(best.max_generation());
    sdk::Measure("link.pci_width", best.width(), "1").AtLeast(best.max_width());
  });
}

}  // namespace
}  // namespace muster::driver
