// NVIDIA's management library (NVML), loaded at run time into this process. See gpu_library.h for where that is right.
#ifndef MUSTER_AGENT_INVENTORY_NVML_LIBRARY_H_
#define MUSTER_AGENT_INVENTORY_NVML_LIBRARY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/inventory/gpu_library.h"

namespace muster::agent {

// Where the library is: the loader's own path, NixOS, and containers that mount the driver.
std::vector<std::string> NvmlCandidates();

class NvmlLibrary final : public GpuLibrary {
 public:
  explicit NvmlLibrary(std::vector<std::string> candidates = NvmlCandidates()) : candidates_(std::move(candidates)) {}

  // Loads and initialises NVML, reads every device, shuts NVML down.
  absl::StatusOr<GpuLibraryReport> List() override;

 private:
  std::vector<std::string> candidates_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_INVENTORY_NVML_LIBRARY_H_
