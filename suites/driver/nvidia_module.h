// NVIDIA's kernel module as /proc shows it.
#ifndef MUSTER_SUITES_DRIVER_NVIDIA_MODULE_H_
#define MUSTER_SUITES_DRIVER_NVIDIA_MODULE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/root_folder.h"

namespace muster::driver {

// "580.159.04" out of /proc/driver/nvidia/version:
//   NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build  (…)
absl::StatusOr<std::string> ParseModuleVersion(absl::string_view text);
// NotFound when the file is not there: the module is not loaded, or a container hides it.
absl::StatusOr<std::string> ReadModuleVersion(const base::RootFolder& root);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_NVIDIA_MODULE_H_
