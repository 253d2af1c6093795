#include "suites/physical/unit_tensor.h"

#include <bit>

#include "absl/strings/str_format.h"
#include "suites/physical/unit_tensor_tiles.h"

namespace muster::physical {
namespace {

// Entry (row, column) of the sum over the steps.
int64_t Entry(uint32_t key, uint32_t steps, uint32_t operation, uint32_t warp, uint32_t row, uint32_t column) {
  const uint32_t width = operation == TENSOR_FP64 ? 8 : 16;
  const uint32_t depth = operation == TENSOR_FP64 ? 4 : operation == TENSOR_TF32 ? 8 : 16;
  int64_t sum = 0;
  for (uint32_t pair = 0; pair < TENSOR_PAIRS; ++pair) {
    int64_t product = 0;
    for (uint32_t k = 0; k < depth; ++k) {
      product += tensor_value(key, operation, warp, pair, 0, row * depth + k) *
                 tensor_value(key, operation, warp, pair, 1, k * width + column);
    }
    sum += product * ((steps + TENSOR_PAIRS - 1 - pair) / TENSOR_PAIRS);
  }
  return sum;
}

u64 BitsOf(int64_t entry, uint32_t operation) {
  if (operation == TENSOR_FP64) return std::bit_cast<u64>(static_cast<double>(entry));
  if (operation == TENSOR_INT8) return static_cast<u32>(static_cast<int32_t>(entry));
  return std::bit_cast<u32>(static_cast<float>(entry));
}

}  // namespace

UnitWork TensorWork(const sdk::GpuFigures& gpu) {
  UnitWork work = {
      .kernel = "unit_tensor", .operations = {"fp16", "int8"}, .group_size = 4 * TENSOR_LANES, .steps = 1024};
  if (gpu.compute_major >= 8) {
    for (const char* type : {"bf16", "tf32", "fp64"}) work.operations.emplace_back(type);
  }
  // Tiles are made from the key.
  work.inputs = [](uint32_t key) { return std::vector<uint64_t>{key}; };
  work.expect = [](const UnitWork& shape, const std::vector<uint64_t>&, const UnitArguments& arguments) {
    return ExpectByLane(shape, [&](uint32_t operation, uint32_t lane) -> uint64_t {
      const uint32_t width = operation == TENSOR_FP64 ? 8 : 16;
      const uint32_t entries = width * width / TENSOR_LANES;
      u64 result = 0;
      for (uint32_t n = 0; n < entries; ++n) {
        const uint32_t place = lane % TENSOR_LANES * entries + n;
        const int64_t entry =
            Entry(arguments.key, arguments.steps, operation, lane / TENSOR_LANES, place / width, place % width);
        result = unit_turn(result, 7) ^ BitsOf(entry, operation);
      }
      return result;
    });
  };
  work.describe = [](const std::vector<uint64_t>&, const UnitArguments&, uint32_t lane, uint32_t) {
    return absl::StrFormat("tile of warp %u, entries of lane %u", lane / TENSOR_LANES, lane % TENSOR_LANES);
  };
  return work;
}

}  // namespace muster::physical
