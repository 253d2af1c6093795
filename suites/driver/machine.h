// The machine that the suite looks at: where its /proc, /sys, /dev and /run are, the GPUs that its PCI bus shows, and
// which vendors a case of the whole machine concerns.
#ifndef MUSTER_SUITES_DRIVER_MACHINE_H_
#define MUSTER_SUITES_DRIVER_MACHINE_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/root_folder.h"
#include "muster/v1/fleet.pb.h"

namespace muster::driver {

// "/" but in tests and on simulated machines.
base::RootFolder Root();
// Where a file of the machine really is: "/dev/dri/renderD128" under the root.
std::string RealPath(const std::string& path);

// The GPUs of this vendor that PCI shows and this machine's own drivers are to serve: none of those that are handed to
// a virtual machine (vfio-pci). NotFound when the machine shows no PCI bus.
absl::StatusOr<std::vector<v1::Device>> PciGpusOf(v1::Vendor vendor);

// Intel's GPU that is part of the processor, where its chipsets have it: 0000:00:02.0.
bool IsIntegrated(const v1::Device& device);
// Throws DeviceSkipped for such: all of its memory is the machine's, and whoever takes it ends other programs.
void RequireMemoryOfItsOwn(const v1::Device& device);

// Those of which a device is leased, and those of which PCI shows one. An Intel GPU that is part of the processor
// counts only when it is leased or nothing else is: on a machine of NVIDIA's GPUs nobody needs it.
std::vector<v1::Vendor> VendorsConcerned(const std::vector<v1::Device>& leased,
                                         const absl::StatusOr<std::vector<v1::Device>>& on_pci);
std::vector<v1::Vendor> VendorsConcerned();

// "NVIDIA", "Intel".
const char* NameOf(v1::Vendor vendor);

// Calls `check` for each vendor concerned, as ForEachDevice does for devices: DeviceSkipped skips the one vendor, the
// case when it skips all or none is concerned; other exceptions end that vendor's round alone.
void ForEachVendor(const std::function<void(v1::Vendor)>& check);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_MACHINE_H_
