// What ends everybody's work on a device: asked for by name and with --destructive, or not done. Never run on hardware.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "suites/driver/device_child.h"
#include "suites/driver/device_restart.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/interruption.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/session.h"

namespace muster::driver {
namespace {

// What the mode "smoke" of smoke_cases.cc moves.
constexpr double kSmokeWork = 5.0 * (64 << 20);

void RequirePermission(const v1::Device& device) {
  // Whose address on PCI may be that of a real device of this machine.
  if (device.simulated()) throw sdk::DeviceSkipped("simulated: it would be the machine's real devices that are reset");
  if (!sdk::Session::Current().environment().destructive)
    throw sdk::DeviceSkipped("destructive: runs only when it is asked for with --destructive");
  if (sdk::Interruption::Requested()) throw sdk::DeviceSkipped("stopped by SIGTERM");
  if (geteuid() != 0) throw sdk::DeviceSkipped("needs root");
}

double SecondsOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void ExpectWorks(const v1::Device& device) {
  const int status = ChildGuard(StartDeviceChild("smoke", device)).Wait();
  EXPECT_EQ(status, kChildPassed) << "expected the device to compute right afterwards, a process on it ended "
                                  << ChildEndText(status);
  sdk::ReportWork("bytes", kSmokeWork);
}

TEST(reset, gpu) {
  const sdk::Interruption bound_again;  // SIGTERM does not leave the device without its driver.
  sdk::ForEachDevice([](const v1::Device& device) {
    RequirePermission(device);
    const auto machine = RestartMachine::This();
    const auto gpus = GpusOf(machine, device.vendor());
    const auto found = std::find_if(gpus.begin(), gpus.end(),
                                    [&](const v1::Device& gpu) { return gpu.pci_address() == device.pci_address(); });
    if (found == gpus.end()) throw sdk::DeviceFailure("PCI does not show the device at " + device.pci_address());
    sdk::Measure("reset.gpu.time", SecondsOf([&] { ResetDevice(machine, *found); }), "s");
    ExpectWorks(device);
  });
}

// Once for all devices of a vendor, which must all be leased.
void ReloadFor(const v1::Device& device) {
  RequirePermission(device);
  const auto machine = RestartMachine::This();
  const auto gpus = GpusOf(machine, device.vendor());
  std::set<std::string> leased;
  for (const v1::Device& one : sdk::LeasedDevices()) leased.insert(one.pci_address());
  for (const v1::Device& gpu : gpus) {
    if (leased.contains(gpu.pci_address())) continue;
    throw sdk::DeviceSkipped("the driver serves " + gpu.pci_address() + " too, which is not leased to this job");
  }
  if (gpus.empty()) throw sdk::DeviceFailure("PCI shows no device of this vendor");
  sdk::Measure("reload.driver.time", SecondsOf([&] { ReloadDriver(machine, gpus); }), "s");
}

TEST(reload, driver) {
  const sdk::Interruption loaded_again;  // SIGTERM does not leave the machine without the driver.
  std::set<v1::Vendor> reloaded;
  sdk::ForEachDevice([&](const v1::Device& device) {
    if (reloaded.insert(device.vendor()).second) ReloadFor(device);
    ExpectWorks(device);
  });
}

}  // namespace
}  // namespace muster::driver
