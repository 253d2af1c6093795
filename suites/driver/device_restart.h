// A device reset and a driver loaded anew: what ends everybody's work on a device, and whether the device comes back.
//
// Both refuse (DeviceSkipped) while any process has a device node open, and say which; what they began and could not
// end they undo as far as they can. DeviceFailure: the device or its driver did not come back. Both need root. They
// have never run on hardware: only against folders and programs that a test made up.
#ifndef MUSTER_SUITES_DRIVER_DEVICE_RESTART_H_
#define MUSTER_SUITES_DRIVER_DEVICE_RESTART_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "muster/v1/fleet.pb.h"

namespace muster::driver {

struct CommandEnd {
  int exit_code = 0;
  std::string output;  // Of both streams, its first 4 KiB.
};

// The machine as these see it: files under a root folder, programs, time.
struct RestartMachine {
  std::string root;  // "/" for the machine itself.
  // A program's name and its arguments; runs it to its end.
  std::function<CommandEnd(const std::vector<std::string>& command)> run;
  std::function<void(int64_t ms)> wait;

  // This machine.
  static RestartMachine This();
};

// The GPUs of this vendor that PCI shows.
std::vector<v1::Device> GpusOf(const RestartMachine& machine, v1::Vendor vendor);

// Processes that have a node of the devices open: "1234 (python3)".
std::vector<std::string> ProcessesOn(const RestartMachine& machine, const std::vector<v1::Device>& devices);

// NVIDIA: nvidia-smi --gpu-reset. Intel: unbound from its kernel driver, PCI function level reset, bound again.
// `device` is one of GpusOf(). Returns when the driver has it again, at most a minute later.
void ResetDevice(const RestartMachine& machine, const v1::Device& device);

// Unloads the vendor's kernel modules and loads them again. Returns when all `devices` are served again.
void ReloadDriver(const RestartMachine& machine, const std::vector<v1::Device>& devices);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_DEVICE_RESTART_H_
