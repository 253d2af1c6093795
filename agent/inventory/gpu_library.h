// A vendor's management library, as the inventory sees it: NVML, Level Zero, a probe in a child process, a fake.
//
// Such a library may crash, hang, or keep tens of megabytes: the agent asks it in a short-lived child (probe.h) and
// nowhere else.
#ifndef MUSTER_AGENT_INVENTORY_GPU_LIBRARY_H_
#define MUSTER_AGENT_INVENTORY_GPU_LIBRARY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "muster/v1/fleet.pb.h"

namespace muster::agent {

struct GpuLibraryReport {
  // Only what the library gave is set. `pci_address` is empty where it does not tell.
  std::vector<v1::Device> devices;
  // Devices that it counts and cannot open, in sentences.
  std::vector<std::string> notes;
};

class GpuLibrary {
 public:
  virtual ~GpuLibrary() = default;

  // NotFound when the library is not installed, anything else when it does not work; the message is fit for a user. May
  // block.
  virtual absl::StatusOr<GpuLibraryReport> List() = 0;
};

// Devices of one machine that are believed at most.
inline constexpr size_t kMaxLibraryDevices = 64;

}  // namespace muster::agent

#endif  // MUSTER_AGENT_INVENTORY_GPU_LIBRARY_H_
