// Other processes that work on the same device: this program again, with a context of its own.
#ifndef MUSTER_SUITES_DRIVER_DEVICE_CHILD_H_
#define MUSTER_SUITES_DRIVER_DEVICE_CHILD_H_

#include <sys/types.h>

#include <functional>
#include <string>

#include "muster/v1/fleet.pb.h"
#include "suites/physical/compute_device.h"

namespace muster::driver {

// How a child ends; 128 and a signal's number when one killed it.
enum ChildEnd : int {
  kChildPassed = 0,
  kChildFoundWrong = 10,
  kChildDeviceFailed = 11,  // A DeviceFailure left it.
  kChildCouldNot = 12,      // Any other exception, or no device.
};
// "ended with what a device's failure throws", for a status of WaitForChild().
std::string ChildEndText(int status);

// What a child does on the device; at namespace scope, as sdk::ChildMode.
class DeviceChildMode {
 public:
  // `run` gets the device and StartDeviceChild's text. What it returns is the exit status; what it throws becomes one,
  // and a line on standard error.
  using Run = std::function<int(physical::ComputeDevice& device, const std::string& text)>;
  DeviceChildMode(const std::string& name, Run run);
};

// Starts a child in the mode on the device; `text` has no line break. Throws ToolError when it cannot be started.
pid_t StartDeviceChild(const std::string& mode, const v1::Device& device, const std::string& text = "");
// Throws ToolError when it cannot wait, and for a child that could not do its part.
int WaitForDeviceChild(pid_t child);

// A process that fails for its device's sake must be waited for, whatever is thrown: kills it, unless it was waited
// for.
class ChildGuard {
 public:
  explicit ChildGuard(pid_t child) : child_(child) {}
  ~ChildGuard();
  ChildGuard(const ChildGuard&) = delete;
  ChildGuard& operator=(const ChildGuard&) = delete;

  // As WaitForDeviceChild().
  int Wait();
  // SIGKILL, and waits.
  int Kill();

 private:
  pid_t child_;
};

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_DEVICE_CHILD_H_
