// Intel's Level Zero (core and sysman), loaded at run time into this process. See gpu_library.h for where that is
// right.
#ifndef MUSTER_AGENT_INVENTORY_LEVEL_ZERO_LIBRARY_H_
#define MUSTER_AGENT_INVENTORY_LEVEL_ZERO_LIBRARY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/inventory/gpu_library.h"

namespace muster::agent {

// Where the loader is: the system's own path, NixOS.
std::vector<std::string> LevelZeroCandidates();

class LevelZeroLibrary final : public GpuLibrary {
 public:
  explicit LevelZeroLibrary(std::vector<std::string> candidates = LevelZeroCandidates())
      : candidates_(std::move(candidates)) {}

  // Loads and initialises Level Zero and reads every GPU; a card of several tiles is one device. Sets variables of this
  // process's environment that the driver reads at its initialisation. Once in a process: there is no call that shuts
  // Level Zero down.
  absl::StatusOr<GpuLibraryReport> List() override;

 private:
  std::vector<std::string> candidates_;
};

// "8680a056-0800-0000-0300-000000000000" of the 16 bytes of a Level Zero UUID.
std::string FormatUuid(const uint8_t (&bytes)[16]);

// Where a card tells no serial number, Intel's driver makes the UUID of PCI vendor, device, revision and address:
// machines with such a card in the same slot then share one. False for those: they identify nothing in a fleet.
bool UuidIdentifies(absl::string_view uuid, uint32_t pci_device_id);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_INVENTORY_LEVEL_ZERO_LIBRARY_H_
