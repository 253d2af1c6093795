// The tiles of unit_tensor.h, for the kernel and the host.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_TENSOR_TILES_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_TENSOR_TILES_H_

#include "suites/physical/unit_work.h"

#define TENSOR_FP16 0
#define TENSOR_INT8 1
#define TENSOR_BF16 2
#define TENSOR_TF32 3
#define TENSOR_FP64 4
// Pairs of tiles that a warp multiplies by turns.
#define TENSOR_PAIRS 4
#define TENSOR_LANES 32

// Entry `index` of a tile of a (side 0, in rows) or b (side 1, in rows).
DEVICE_FUNCTION int tensor_value(u32 key, u32 operation, u32 warp, u32 pair, u32 side, u32 index) {
  const u32 place = index | side << 8 | pair << 9 | warp << 12 | operation << 16;
  return (int)((mix_bits(place ^ key) >> 8) % 15) - 7;
}

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_TENSOR_TILES_H_
