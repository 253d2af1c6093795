// Two kernels for the tests of the simulated driver; a pattern for others. See kernels.h.
#include "tests/hardware_sim/level_zero/kernels.h"

namespace {

// (float* a, float* b, float* sum, uint32_t count)
void VectorAdd(const MusterSimLaunch* launch) {
  const auto* a = MusterSimValue<const float*>(launch, 0);
  const auto* b = MusterSimValue<const float*>(launch, 1);
  auto* sum = MusterSimValue<float*>(launch, 2);
  const auto count = MusterSimValue<uint32_t>(launch, 3);
  for (uint64_t i = 0; i < launch->global_size[0] && i < count; ++i) sum[i] = a[i] + b[i];
}

// (uint32_t* out, uint32_t count, uint32_t seed): a number for each work item that looks like chance.
void FillWithHash(const MusterSimLaunch* launch) {
  auto* out = MusterSimValue<uint32_t*>(launch, 0);
  const auto count = MusterSimValue<uint32_t>(launch, 1);
  const auto seed = MusterSimValue<uint32_t>(launch, 2);
  for (uint64_t i = 0; i < launch->global_size[0] && i < count; ++i) {
    uint32_t hash = (static_cast<uint32_t>(i) ^ seed) * 2654435761u;
    hash ^= hash >> 15;
    out[i] = hash * 2246822519u;
  }
}

constexpr MusterSimKernel kKernels[] = {
    {"vector_add", 4, 2, VectorAdd},
    {"fill_with_hash", 3, 0, FillWithHash},
};
constexpr MusterSimKernelTable kTable = {MUSTER_SIM_KERNELS_VERSION, 2, kKernels};

}  // namespace

extern "C" __attribute__((visibility("default"))) const MusterSimKernelTable* MusterSimKernels() { return &kTable; }
