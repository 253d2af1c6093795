// The firmwares that Intel's kernel driver loads into the GPU's micro-controllers: GuC, which schedules its work, and
// HuC, of the media engines. From debugfs, where the driver says each one's state (root alone may read it), or from the
// lines that it logs when it starts.
//
//   GuC firmware: i915/dg2_guc_70.bin
//           status: RUNNING
//           version: found 70.29.2                 (i915; "wanted 70.5.1, found 69.0.3" when it is older)
//           found release version 70.29.2          (xe)
#ifndef MUSTER_SUITES_DRIVER_UC_FIRMWARE_H_
#define MUSTER_SUITES_DRIVER_UC_FIRMWARE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/root_folder.h"
#include "suites/driver/kernel_log.h"

namespace muster::driver {

struct UcFirmware {
  std::string name;     // "GuC", "HuC".
  std::string place;    // "gt0", "tile0/gt1"; empty from the log.
  std::string file;     // "i915/dg2_guc_70.bin"
  std::string status;   // "RUNNING"; empty from the log, which tells that it was taken and not that it runs.
  std::string version;  // "70.29.2"; empty when it does not say.

  // The driver tried and could not.
  bool Failed() const;
  // The driver does not use it on this GPU.
  bool Unused() const;
  bool Runs() const;
};

// One guc_info or huc_info; nothing when it is none.
std::optional<UcFirmware> ParseUcInfo(absl::string_view text);

// Of the GPU at this PCI address, from debugfs. Empty when debugfs does not show the device to this user.
std::vector<UcFirmware> ReadUcFirmware(const base::RootFolder& root, const std::string& pci_address);

// The last of each that the log names for the device.
std::vector<UcFirmware> UcFirmwareInLog(const KernelLog& log, const std::string& pci_address);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_UC_FIRMWARE_H_
