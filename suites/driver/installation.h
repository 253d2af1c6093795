// What a vendor's driver must be like on a machine that has a GPU of it, one object for each vendor. The cases of
// installation_cases.cc ask both the same.
//
// A check records failures and measurements as assertions do, and throws what sdk/outcome.h has: DeviceSkipped where
// the machine does not let it be seen.
#ifndef MUSTER_SUITES_DRIVER_INSTALLATION_H_
#define MUSTER_SUITES_DRIVER_INSTALLATION_H_

#include <string>
#include <vector>

#include "muster/v1/fleet.pb.h"

namespace muster::driver {

class Installation {
 public:
  // Never null; lives as long as the program.
  static const Installation& Of(v1::Vendor vendor);
  virtual ~Installation() = default;

  // The kernel's module is there.
  virtual void CheckModule() const = 0;
  // Names of the kernel drivers of which one must serve each GPU, the usual one first.
  virtual std::vector<std::string> KernelDrivers() const = 0;
  // Device nodes that no one device has alone.
  virtual void CheckSharedNodes() const {}
  virtual void CheckNodes(const v1::Device& device) const = 0;
  // The parts of the driver belong together.
  virtual void CheckVersions() const = 0;
  // The vendor's library lists what PCI shows.
  virtual void CheckAgainstPci() const = 0;
  // The library for computing shows this device, and (ComputeDevices) so many in all.
  virtual void CheckShown(const v1::Device& device) const = 0;
  virtual size_t ComputeDevices() const = 0;
  // Sonames of the libraries that NixOS must have in /run/opengl-driver/lib.
  virtual std::vector<std::string> Libraries() const = 0;
  // Version of the kernel module, where it must be that of the libraries; empty: they have versions of their own.
  virtual std::string ModuleVersion() const { return ""; }
};

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_INSTALLATION_H_
