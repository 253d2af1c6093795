// What a device does for which nobody has written its part.
#include "suites/physical/compute_device.h"

#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

[[noreturn]] void Lacks(const char* what) {
  throw sdk::DeviceSkipped(std::string("for devices of this kind there is no way here to ") + what);
}

}  // namespace

bool ComputeDevice::WaitAtMost(double) { Lacks("wait for a limited time"); }
std::unique_ptr<QueueEvent> ComputeDevice::Record() { Lacks("order queues by events"); }
void ComputeDevice::WaitFor(const QueueEvent&) { Lacks("order queues by events"); }
std::unique_ptr<QueuedWork> ComputeDevice::Capture(const std::function<void()>&) { Lacks("queue work as a whole"); }
std::string ComputeDevice::ModuleImage() { Lacks("load a module from a file"); }
std::unique_ptr<KernelModule> ComputeDevice::LoadModule(const std::string&) { Lacks("load a module from a file"); }

}  // namespace muster::physical
