// Xid lines of the kernel log: what NVIDIA's kernel driver says when a GPU or a program on it went wrong.
//
//   NVRM: Xid (PCI:0000:41:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.
#ifndef MUSTER_SUITES_DRIVER_KERNEL_LOG_H_
#define MUSTER_SUITES_DRIVER_KERNEL_LOG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster::driver {

struct Xid {
  // As muster.v1.Device has it: "0000:41:00.0".
  std::string pci_address;
  int number = 0;
  // What follows the number.
  std::string detail;
  // Since boot; 0 when the line does not say.
  double seconds = 0;

  // A program's own fault can cause it (an illegal access, a kill); the others are faults of the GPU, its link or its
  // driver.
  bool ByApplication() const;
};

struct KernelLog {
  std::vector<Xid> xids;
  // Time of the oldest record that is left, in seconds since boot. Lines from before it are lost.
  double begins_seconds = 0;
};

// One record of /dev/kmsg ("4,1234,5678901,-;message") or line of dmesg ("[    5.678901] message"); nullopt when it is
// no Xid.
std::optional<Xid> ParseXid(absl::string_view record);

// Reads what is in `path` (/dev/kmsg) now, without waiting. PermissionDenied and NotFound say what to do.
absl::StatusOr<KernelLog> ReadKernelLog(const std::string& path);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_KERNEL_LOG_H_
