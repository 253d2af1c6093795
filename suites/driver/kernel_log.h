// The kernel's log since boot, and which faults of a GPU still stand in it: Xids of NVIDIA's driver, hangs, resets and
// firmware of Intel's, PCIe errors on the way to it. What a line means, and when it is over, is in
// base/event_catalogue, by which the agent judges health too.
#ifndef MUSTER_SUITES_DRIVER_KERNEL_LOG_H_
#define MUSTER_SUITES_DRIVER_KERNEL_LOG_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/event_catalogue.h"
#include "base/kernel_record.h"
#include "muster/v1/fleet.pb.h"

namespace muster::driver {

struct KernelLog {
  // The kernel's own, oldest first.
  std::vector<base::KernelRecord> records;
  // On the clock of the records.
  double now_seconds = 0;
  // Time of the oldest record that is left. Lines from before it are lost.
  double BeginsSeconds() const;
};

// Reads what is in `path` (/dev/kmsg; a plain file of records on a simulated machine) now, without waiting.
// PermissionDenied and NotFound say what to do.
absl::StatusOr<KernelLog> ReadKernelLog(const std::string& path);

struct LogFault {
  base::EventCatalogue::Match match;
  double seconds = 0;  // Since boot.
  std::string text;
  // As the catalogue has it, the GPU suffers from it still. False as well for what is a program's fault.
  bool stands = false;
};
// Lines about this device. `bridges`: PCI addresses above it, of which PCIe errors concern it too.
std::vector<LogFault> FaultsOf(const KernelLog& log, const v1::Device& device, const std::vector<std::string>& bridges);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_KERNEL_LOG_H_
