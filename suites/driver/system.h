// What the kernel shows of NVIDIA's driver and GPUs, under /proc, /sys and /dev.
//
// `root` is "" on a real machine and a folder in tests.
#ifndef MUSTER_SUITES_DRIVER_SYSTEM_H_
#define MUSTER_SUITES_DRIVER_SYSTEM_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster::driver {

// "580.159.04" out of /proc/driver/nvidia/version:
//   NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (…)
absl::StatusOr<std::string> ParseModuleVersion(absl::string_view text);
// NotFound when the file is not there: the module is not loaded, or a container hides it.
absl::StatusOr<std::string> ReadModuleVersion(const std::string& root);

struct PciGpu {
  std::string address;  // "0000:41:00.0"
  // Bound kernel driver; empty for none.
  std::string driver;
};
// NVIDIA's display and 3D controllers by PCI address. NotFound when the machine has no /sys/bus/pci.
absl::StatusOr<std::vector<PciGpu>> ReadPciGpus(const std::string& root);

// "580.159.04" out of ".../libcuda.so.580.159.04"; empty when the name carries no version.
std::string VersionOfLibraryFile(absl::string_view path);
// Of a library that this process has loaded, from the name of its file; empty when it cannot be told.
std::string VersionOfLoadedLibrary(const char* name);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_SYSTEM_H_
