#include "suites/physical/cuda_kernels.h"
#include "suites/physical/march.kernels.h"

namespace muster::physical {

const void* FindCudaKernel(std::string_view name) {
  const struct {
    std::string_view name;
    const void* kernel;
  } kernels[] = {{"march_write", reinterpret_cast<const void*>(march_write)},
                 {"march_verify", reinterpret_cast<const void*>(march_verify)},
                 {"march_verify_write", reinterpret_cast<const void*>(march_verify_write)},
                 {"march_mirror", reinterpret_cast<const void*>(march_mirror)},
                 {"march_inject", reinterpret_cast<const void*>(march_inject)}};
  for (const auto& candidate : kernels) {
    if (candidate.name == name) return candidate.kernel;
  }
  return nullptr;
}

}  // namespace muster::physical
