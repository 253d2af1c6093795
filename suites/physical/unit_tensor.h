// Golden tiles on each multiprocessor's tensor cores, as work for a sweep over the units of a device: NVIDIA's alone
// (unit_tensor.cuh), for SPIR-V has no matrix instructions that every driver takes.
//
// Each of a group's four warps, one to a quarter of the multiprocessor, adds up products of 16 × 16 tiles (fp64: 8 × 8)
// of whole numbers to 7; a lane's result stands for its eighth (fp64: two entries) of the sum's tile.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_TENSOR_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_TENSOR_H_

#include "suites/physical/unit_sweep.h"

namespace muster::physical {

// fp16 and int8, and from compute capability 8.0 on bf16, TF32 and fp64. Not fp8.
UnitWork TensorWork(const sdk::GpuFigures& gpu);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_TENSOR_H_
