#include "suites/physical/all_kernels.h"
#include "suites/physical/cuda_kernels.h"
#include "suites/physical/unit_tensor.cuh"

#define KERNEL_ENTRY(name) \
  { #name, reinterpret_cast < const void*>(name) }

namespace muster::physical {

const void* FindCudaKernel(std::string_view name) {
  static const struct {
    std::string_view name;
    const void* kernel;
  } kernels[] = {PHYSICAL_KERNELS(KERNEL_ENTRY), KERNEL_ENTRY(unit_tensor)};
  for (const auto& candidate : kernels) {
    if (candidate.name == name) return candidate.kernel;
  }
  return nullptr;
}

}  // namespace muster::physical
