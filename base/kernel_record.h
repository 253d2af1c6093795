// One record of /dev/kmsg, taken apart. The format is the kernel's Documentation/ABI/testing/dev-kmsg:
//
//   "4,1234,5140900,-;NVRM: Xid (PCI:0000:41:00): 79, …\n SUBSYSTEM=pci\n DEVICE=+pci:0000:41:00.0\n"
//    prefix, sequence, microseconds since boot, flags; text, unprintable bytes as \xNN; then lines of KEY=VALUE
#ifndef MUSTER_BASE_KERNEL_RECORD_H_
#define MUSTER_BASE_KERNEL_RECORD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace muster::base {

// The kernel's own bound on a record (PRINTKRB_RECORD_MAX, 8 KiB in older kernels).
inline constexpr size_t kMaxKernelRecordBytes = 8'192;
inline constexpr size_t kMaxKernelTextBytes = 1'024;

struct KernelRecord {
  int severity = 0;  // As syslog has it: 0 emergency to 7 debug.
  // 0: the kernel itself. Others are programs that wrote to /dev/kmsg, and are believed in nothing.
  int facility = 0;
  uint64_t sequence = 0;
  int64_t since_boot_us = 0;
  // Valid UTF-8 without control characters, at most kMaxKernelTextBytes.
  std::string text;
};

// InvalidArgument when it is no record. The lines of KEY=VALUE are left out: the text names the device, too.
absl::StatusOr<KernelRecord> ParseKernelRecord(std::string_view record);

}  // namespace muster::base

#endif  // MUSTER_BASE_KERNEL_RECORD_H_
