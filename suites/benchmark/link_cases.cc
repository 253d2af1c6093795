// How fast the host's memory and the device's exchange data over PCI Express, against generation × width.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/units.h"
#include "suites/sdk/cuda/device.h"
#include "suites/sdk/cuda/memory.h"
#include "suites/sdk/cuda/pattern.h"
#include "suites/sdk/cuda/timing.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/nvml.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/peak.h"
#include "suites/sdk/session.h"

namespace muster::benchmark {
namespace {

using sdk::cuda::DeviceBuffer;
using sdk::cuda::DeviceScope;
using sdk::cuda::PinnedBuffer;
using sdk::cuda::Stream;

constexpr uint64_t kSeed = 0x6C696E6B;
constexpr int kWarmUps = 3;
constexpr int kRepeats = 20;

// What the link can carry, as it is while data flows; nullopt when nobody says.
class LinkWatch {
 public:
  explicit LinkWatch(const v1::Device& device) {
    const auto nvml = sdk::Nvml::Shared();
    if (!nvml.ok()) return;
    nvml_ = *nvml;
    handle_ = nvml_->DeviceByUuid(device.uuid()).value_or(nullptr);
  }

  // While copies are under way: links go down when idle, so the best state counts.
  void Look() {
    if (handle_ == nullptr) return;
    const auto link = nvml_->PciLink(handle_);
    if (!link.ok()) return;
    best_ = std::max(best_, sdk::PciBandwidthPeak(link->generation, link->width).value_or(0));
  }

  // `measured` shows when a virtual machine gives the link a state that it does not have.
  std::optional<double> Expected(double measured) const {
    if (best_ == 0) return std::nullopt;
    if (measured <= best_) return best_;
    sdk::Session::Current().report().Log(
        sdk::Severity::kWarning,
        absl::StrCat("the link reads as one of ", base::FormatQuantity(best_, "B/s"), ", and ",
                     base::FormatQuantity(measured, "B/s"), " went over it: a virtual machine hides its real state"));
    return std::nullopt;
  }

 private:
  const sdk::Nvml* nvml_ = nullptr;
  sdk::Nvml::Handle handle_ = nullptr;
  double best_ = 0;
};

// Times copies of `bytes` in the direction and reports them.
void MeasureCopies(const std::string& name, const v1::Device& device, const Stream& stream, void* to, const void* from,
                   size_t bytes, cudaMemcpyKind kind) {
  LinkWatch watch(device);
  const auto copy = [&] { CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, kind, stream.get())); };
  for (int i = 0; i < kWarmUps; ++i) copy();
  watch.Look();
  stream.Wait();
  const auto timing = sdk::cuda::TimeOnDevice(stream, 1, kRepeats, copy);
  for (int i = 0; i < kWarmUps; ++i) copy();
  watch.Look();
  stream.Wait();
  const double rate = static_cast<double>(bytes) / timing.median_seconds;
  sdk::MeasureShare(name, rate, "B/s", watch.Expected(rate), sdk::Parameter<double>("pci_floor"));
  sdk::ReportWork("bytes", static_cast<double>(bytes) * kRepeats);
}

size_t Words() { return (static_cast<size_t>(sdk::Parameter<int64_t>("pinned_mib")) << 20) / sizeof(uint64_t); }

TEST(copy, host_to_device) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const DeviceScope scope(device);
    const Stream stream;
    const PinnedBuffer<uint64_t> host(Words());
    const DeviceBuffer<uint64_t> on_device(Words());
    sdk::cuda::FillPatternOnHost(host.data(), host.size(), kSeed);
    CUDA_CHECK(cudaMemsetAsync(on_device.data(), 0xFF, on_device.bytes(), stream.get()));
    MeasureCopies("host_to_device_bandwidth", device, stream, on_device.data(), host.data(), host.bytes(),
                  cudaMemcpyHostToDevice);
    const auto seen = VerifyPattern(stream, on_device.data(), on_device.size(), kSeed);
    EXPECT_EQ(seen.wrong_words, 0u) << "data copied to the device: " << seen.Problem();
  });
}

TEST(copy, device_to_host) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const DeviceScope scope(device);
    const Stream stream;
    const PinnedBuffer<uint64_t> host(Words());
    const DeviceBuffer<uint64_t> on_device(Words());
    std::fill(host.data(), host.data() + host.size(), ~0ull);
    sdk::cuda::FillPattern(stream, on_device.data(), on_device.size(), kSeed + 1);
    MeasureCopies("device_to_host_bandwidth", device, stream, host.data(), on_device.data(), host.bytes(),
                  cudaMemcpyDeviceToHost);
    const auto seen = sdk::cuda::VerifyPatternOnHost(host.data(), host.size(), kSeed + 1);
    EXPECT_EQ(seen.wrong_words, 0u) << "data copied from the device: " << seen.Problem();
  });
}

}  // namespace
}  // namespace muster::benchmark
