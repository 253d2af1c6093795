// NVIDIA's library for collective operations, loaded at run time, as what adds up an all-reduce: one process, all its
// GPUs.
//
// NVLink multicast (NVLS) is not used unless NCCL_NVLS_ENABLE in the environment asks for it: it takes resources of the
// NVSwitches that other users of the machine may have.
#ifndef MUSTER_SUITES_PHYSICAL_NCCL_H_
#define MUSTER_SUITES_PHYSICAL_NCCL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "suites/physical/all_reduce.h"
#include "suites/physical/cuda_device.h"
#include "suites/physical/library_search.h"

namespace muster::physical {

LibraryNames NcclNames();

// The first of the candidates that can be loaded. NotFound names what was tried; Internal is NCCL's own word. `devices`
// outlive it; what is added is queued on theirs.
absl::StatusOr<std::unique_ptr<Reducer>> MakeNcclReducer(const std::vector<std::string>& candidates,
                                                         std::vector<CudaDevice*> devices);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_NCCL_H_
