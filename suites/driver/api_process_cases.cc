// What one process does to a device must not be another's trouble: a process that is killed while its kernel runs, one
// that writes where nothing is.
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "suites/driver/device_child.h"
#include "suites/driver/requirement.h"
#include "suites/physical/api_calls.h"
#include "suites/physical/open_device.h"
#include "suites/physical/queue_order.h"
#include "suites/physical/smoke.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"

namespace muster::driver {
namespace {

using physical::ComputeDevice;

constexpr uint64_t kHeldBytes = 64 << 20;
constexpr uint64_t kSeed = 0x6D757374;
// A process that was killed is gone long before its kernel would have ended.
constexpr double kKernelSeconds = 4;
constexpr double kEndLimitSeconds = 2;

physical::ApiInjection Injection() { return physical::ApiInjection(sdk::Parameter<std::string>("inject_api")); }

// This process's memory and kernels after what a child did.
void ExpectUntouched(ComputeDevice& gpu, physical::PatternedMemory& held) {
  EXPECT_EQ(held.VerifyOnDevice(), "") << "expected the memory of this process to be as it was";
  EXPECT_EQ(physical::Smoke(gpu, kHeldBytes, kSeed), "") << "expected this process to compute right afterwards";
}

// A pipe on whose other end a child says that it is where it should be.
class Signal {
 public:
  Signal() {
    if (pipe(ends_) != 0) throw sdk::ToolError("no pipe");
  }
  ~Signal() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int child_end() const { return ends_[1]; }
  bool Comes(double seconds) const {
    pollfd wait = {.fd = ends_[0], .events = POLLIN, .revents = 0};
    return poll(&wait, 1, static_cast<int>(seconds * 1e3)) == 1;
  }

 private:
  int ends_[2] = {-1, -1};
};

// `text`: the descriptor to write to, and whether there is no kernel, for the self-test.
int RunLongInChild(ComputeDevice& device, const std::string& text) {
  int descriptor = -1;
  if (!absl::SimpleAtoi(text.substr(0, text.find(' ')), &descriptor)) return kChildCouldNot;
  const bool no_kernel = text.find(" ends") != std::string::npos;
  auto* const words = static_cast<u32*>(device.Allocate(physical::kThreePieces));
  if (words == nullptr) return kChildCouldNot;
  device.Zero(words, physical::kThreePieces);
  physical::QueueLongKernel(device, words, no_kernel ? 0 : kKernelSeconds, physical::TurnsPerSecond(device));
  const bool ended = device.WaitAtMost(0.02);
  if (write(descriptor, "r", 1) != 1) return kChildCouldNot;
  if (ended) return no_kernel ? kChildPassed : kChildCouldNot;
  device.Wait();
  return kChildPassed;
}
const DeviceChildMode kLongMode("long-kernel", RunLongInChild);

TEST(api, killed_process) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    physical::PatternedMemory held(*gpu, kHeldBytes, kSeed + 1);
    const bool ends = Injection().Of("exit").has_value();
    const Signal running;
    ChildGuard child(StartDeviceChild("long-kernel", device, absl::StrCat(running.child_end(), ends ? " ends" : "")));
    constexpr double kStartLimitSeconds = 20;
    if (!running.Comes(kStartLimitSeconds)) {
      child.Kill();  // Says so when it had ended for reasons of its own.
      throw sdk::DeviceFailure(absl::StrCat("a second process had no kernel running after ", kStartLimitSeconds, " s"));
    }
    // It has time to end, if it does not run.
    if (ends) usleep(200'000);
    const auto start = std::chrono::steady_clock::now();
    const int status = child.Kill();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    EXPECT_EQ(status, 128 + SIGKILL) << "expected a process with a running kernel to be ended by SIGKILL, it ended "
                                     << ChildEndText(status);
    sdk::Measure("api.killed_process.end", seconds, "s").AtMost(kEndLimitSeconds);
    ExpectUntouched(*gpu, held);
    sdk::ReportWork("bytes", 5.0 * kHeldBytes);
  });
}

// `text`: "inside" writes where it may, for the self-test.
int WriteOutsideInChild(ComputeDevice& device, const std::string& text) {
  auto* const words = static_cast<u32*>(device.Allocate(physical::kThreePieces));
  if (words == nullptr) return kChildCouldNot;
  // A tebibyte further there is nobody's memory.
  const ApiStray stray = {.word = text == "inside" ? 0 : (uint64_t{1} << 40) / sizeof(u32), .value = 1};
  device.Launch({.kernel = "api_stray", .buffers = {words}, .arguments = &stray, .arguments_size = sizeof(stray)});
  device.Wait();
  return kChildPassed;
}
const DeviceChildMode kOutsideMode("write-outside", WriteOutsideInChild);

TEST(api, out_of_bounds) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    physical::PatternedMemory held(*gpu, kHeldBytes, kSeed + 1);
    const bool inside = Injection().Of("inside").has_value();
    const int status = ChildGuard(StartDeviceChild("write-outside", device, inside ? "inside" : "")).Wait();
    sdk::MeasureText("api.out_of_bounds.process_ended", ChildEndText(status));
    // Intel's kernel drivers may give such a write a page of its own that nobody reads; then there is no error.
    if (device.vendor() == v1::VENDOR_NVIDIA || status != kChildPassed) {
      EXPECT_TRUE(status == kChildDeviceFailed || status > 128)
          << "expected a write 1 TiB past its memory to end the process with an error of the device, it ended "
          << ChildEndText(status);
    }
    ExpectUntouched(*gpu, held);
    const int fresh = ChildGuard(StartDeviceChild("smoke", device)).Wait();
    EXPECT_EQ(fresh, kChildPassed) << "expected a fresh process to compute right afterwards, it ended "
                                   << ChildEndText(fresh);
    sdk::ReportWork("bytes", 5.0 * kHeldBytes);
  });
}

}  // namespace
}  // namespace muster::driver
