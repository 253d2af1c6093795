// A vendor's library for tests: lists what it is told to.
#ifndef MUSTER_AGENT_INVENTORY_GPU_LIBRARY_FAKE_H_
#define MUSTER_AGENT_INVENTORY_GPU_LIBRARY_FAKE_H_

#include "agent/inventory/gpu_library.h"

namespace muster::agent {

class FakeGpuLibrary final : public GpuLibrary {
 public:
  absl::StatusOr<GpuLibraryReport> List() override { return report; }

  absl::StatusOr<GpuLibraryReport> report = absl::NotFoundError("the library is not installed");
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_INVENTORY_GPU_LIBRARY_FAKE_H_
