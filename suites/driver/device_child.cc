#include "suites/driver/device_child.h"

#include <csignal>
#include <cstdio>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "suites/physical/open_device.h"
#include "suites/sdk/child.h"
#include "suites/sdk/outcome.h"

namespace muster::driver {
namespace {

constexpr char kBetween = '\n';

int RunOnDevice(const DeviceChildMode::Run& run, const std::string& argument) {
  const size_t end = argument.find(kBetween);
  v1::Device device;
  if (!base::FromJson(argument.substr(0, end), base::UnknownFields::kIgnore, &device).ok()) return kChildCouldNot;
  try {
    const auto gpu = physical::OpenDevice(device);
    return run(*gpu, argument.substr(end + 1));
  } catch (const sdk::DeviceFailure& failure) {
    std::fprintf(stderr, "second process: %s\n", failure.what());
    return kChildDeviceFailed;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "second process: %s\n", error.what());
    return kChildCouldNot;
  }
}

}  // namespace

std::string ChildEndText(int status) {
  switch (status) {
    case kChildPassed:
      return "in order";
    case kChildFoundWrong:
      return "with wrong values";
    case kChildDeviceFailed:
      return "with an error of the device";
    case kChildCouldNot:
      return "without being able to work";
    default:
      return status > 128 ? absl::StrCat("by signal ", status - 128) : absl::StrCat("with status ", status);
  }
}

DeviceChildMode::DeviceChildMode(const std::string& name, Run run) {
  sdk::ChildMode(name, [run = std::move(run)](const std::string& argument) { return RunOnDevice(run, argument); });
}

pid_t StartDeviceChild(const std::string& mode, const v1::Device& device, const std::string& text) {
  const auto child = sdk::StartChild(mode, absl::StrCat(base::ToJson(device), std::string(1, kBetween), text));
  if (!child.ok()) throw sdk::ToolError(std::string(child.status().message()));
  return *child;
}

int WaitForDeviceChild(pid_t child) {
  const auto status = sdk::WaitForChild(child);
  if (!status.ok()) throw sdk::ToolError(std::string(status.status().message()));
  if (*status == kChildCouldNot)
    throw sdk::ToolError("a second process could not do its part; its standard error says why");
  return *status;
}

ChildGuard::~ChildGuard() {
  if (child_ <= 0) return;
  kill(child_, SIGKILL);
  static_cast<void>(sdk::WaitForChild(child_));
}

int ChildGuard::Wait() { return WaitForDeviceChild(std::exchange(child_, 0)); }

int ChildGuard::Kill() {
  kill(child_, SIGKILL);
  return Wait();
}

}  // namespace muster::driver
