#include "suites/physical/api_calls.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "suites/physical/queue_order.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

// What the cases here work on.
class Words {
 public:
  explicit Words(ComputeDevice& device) : device_(device), words_(static_cast<u32*>(device.Allocate(kThreePieces))) {
    if (words_ == nullptr) throw sdk::ToolError("no memory for three words");
  }
  ~Words() { device_.Free(words_); }
  u32* get() const { return words_; }

 private:
  ComputeDevice& device_;
  u32* const words_;
};

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A file that goes with its owner.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& folder, const std::string& content) : path_(absl::StrCat(folder, "/api_module")) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
    if (!std::ifstream(path_)) throw sdk::ToolError("cannot write " + path_);
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// Whether the device refuses what `launch` does, at once or when it is waited for.
bool Refuses(ComputeDevice& device, const std::function<void()>& launch) {
  try {
    launch();
    device.Wait();
    return false;
  } catch (const sdk::ToolError&) {
    return true;
  }
}

}  // namespace

bool ComputesRight(ComputeDevice& device, u32* words, u32 seed, const KernelModule* module) {
  const u32 own = mix_bits(seed);
  const u32 other = mix_bits(~seed);
  const ApiStep step = {.words = 1, .key = seed};
  device.Copy(words, &own, sizeof(own));
  device.Copy(words + 64, &other, sizeof(other));
  device.Launch({.kernel = "api_step",
                 .module = module,
                 .buffers = {words, words + 64, words + 128},
                 .arguments = &step,
                 .arguments_size = sizeof(step)});
  u32 out = 0;
  device.ReadBack(&out, words + 128, sizeof(out));
  return out == api_step_value(own, other, seed);
}

void QueueLongKernel(ComputeDevice& device, u32* words, double seconds, double turns_per_second) {
  const double turns = std::min(seconds * turns_per_second, 4e9);
  const ApiStep step = {.words = 1, .turns = static_cast<u32>(turns)};
  device.Launch({.kernel = "api_step",
                 .buffers = {words, words + 64, words + 128},
                 .arguments = &step,
                 .arguments_size = sizeof(step)});
}

LimitedWaitReport RunLimitedWait(ComputeDevice& device, double kernel_seconds, double limit_seconds,
                                 const ApiInjection& injection) {
  LimitedWaitReport report = {.kernel_seconds = kernel_seconds};
  const Words words(device);
  device.Zero(words.get(), kThreePieces);
  const double turns_per_second = TurnsPerSecond(device);
  const auto launched = std::chrono::steady_clock::now();
  QueueLongKernel(device, words.get(), injection.Of("short") ? 0 : kernel_seconds, turns_per_second);
  if (SecondsSince(launched) > kernel_seconds / 2)
    throw sdk::DeviceSkipped("launches wait here for their kernels (CUDA_LAUNCH_BLOCKING, or a simulated device)");
  const auto start = std::chrono::steady_clock::now();
  const bool ended = device.WaitAtMost(limit_seconds);
  report.waited_seconds = SecondsSince(start);
  if (ended && report.waited_seconds < kernel_seconds / 2) {
    report.problems.push_back(
        absl::StrFormat("a kernel of %.0f ms was said to have ended after %.1f ms: the wait does not know what runs",
                        kernel_seconds * 1e3, report.waited_seconds * 1e3));
  } else if (ended) {
    throw sdk::ToolError("this machine was so busy that the kernel had ended before it was looked at");
  } else if (report.waited_seconds < limit_seconds / 2) {
    report.problems.push_back(absl::StrFormat("a wait of %.0f ms ended after %.1f ms while the kernel ran",
                                              limit_seconds * 1e3, report.waited_seconds * 1e3));
  }
  constexpr double kPatience = 30;
  if (!device.WaitAtMost(kernel_seconds * 10 + kPatience)) {
    report.problems.push_back(
        absl::StrFormat("a kernel of %.0f ms had not ended after %.0f s", kernel_seconds * 1e3, kPatience));
  } else if (!ComputesRight(device, words.get(), 5)) {
    report.problems.push_back("a kernel computed wrong after the wait");
  }
  return report;
}

std::vector<std::string> RunModuleFile(ComputeDevice& device, const std::string& folder,
                                       const ApiInjection& injection) {
  std::vector<std::string> problems;
  const Words words(device);
  const std::string no_module = "no module of any kind\n";
  {
    const TemporaryFile file(folder, injection.Of("module") ? no_module : device.ModuleImage());
    const auto module = device.LoadModule(file.path());
    if (module == nullptr) {
      problems.push_back("the driver refuses a module that was built for it, read from " + file.path());
    } else if (!ComputesRight(device, words.get(), 11, module.get())) {
      problems.push_back("a kernel of the module that was read from a file computed wrong");
    }
  }
  const TemporaryFile file(folder, no_module);
  if (device.LoadModule(file.path()) != nullptr) problems.push_back("the driver took a file that is no module");
  if (!ComputesRight(device, words.get(), 12)) problems.push_back("a kernel computed wrong after a module was refused");
  return problems;
}

std::vector<std::string> RunLaunchErrors(ComputeDevice& device, const ApiInjection& injection) {
  std::vector<std::string> problems;
  const Words words(device);
  const ApiStep step = {.words = 1};
  const bool accept = injection.Of("accept").has_value();
  KernelLaunch good = {.kernel = "api_step",
                       .buffers = {words.get(), words.get(), words.get()},
                       .arguments = &step,
                       .arguments_size = sizeof(step)};
  KernelLaunch too_large = good;
  KernelLaunch unknown = good;
  if (!accept) {
    too_large.group_size = 1 << 20;
    unknown.kernel = "no_such_kernel";
  }
  if (!Refuses(device, [&] { device.Launch(too_large); })) {
    problems.push_back("a launch with a million work items in one group was not refused");
  }
  if (!Refuses(device, [&] { device.Launch(unknown); })) {
    problems.push_back("a launch of a kernel that there is not was not refused");
  }
  if (!ComputesRight(device, words.get(), 21))
    problems.push_back("a kernel computed wrong after launches were refused");
  return problems;
}

}  // namespace muster::physical
