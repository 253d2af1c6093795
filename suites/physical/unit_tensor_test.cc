#include "suites/physical/unit_tensor.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <set>
#include <vector>

#include "suites/physical/unit_tensor_tiles.h"

namespace muster::physical {
namespace {

constexpr uint32_t kKey = 77;

std::vector<uint64_t> Expected(const UnitWork& work, uint32_t steps) {
  return work.expect(work, work.inputs(kKey), {.key = kKey, .steps = steps});
}

TEST(UnitTensor, HasTheTypesThatTheTensorCoresHave) {
  EXPECT_EQ(TensorWork({.compute_major = 7, .compute_minor = 5}).operations.size(), 2u);
  EXPECT_EQ(TensorWork({.compute_major = 9, .compute_minor = 0}).operations.size(), 5u);
}

TEST(UnitTensor, EachLaneExpectsAnotherResult) {
  const UnitWork work = TensorWork({.compute_major = 9});
  const std::vector<uint64_t> expected = Expected(work, 1024);
  ASSERT_EQ(expected.size(), size_t{128} * 5);
  EXPECT_EQ(std::set<uint64_t>(expected.begin(), expected.end()).size(), expected.size());
}

// By the definition: the sum over the steps, a step multiplying the next of four pairs of tiles.
TEST(UnitTensor, ExpectsTheSumOfTheStepsProducts) {
  const UnitWork work = TensorWork({.compute_major = 9});
  for (const uint32_t steps : {1u, 3u, 7u}) {
    const std::vector<uint64_t> expected = Expected(work, steps);
    // Lane 70 is lane 6 of warp 2; in fp64 it has entries 12 and 13: row 1, columns 4 and 5.
    uint64_t result = 0;
    for (const uint32_t column : {4u, 5u}) {
      double sum = 0;
      for (uint32_t step = 0; step < steps; ++step) {
        for (uint32_t k = 0; k < 4; ++k) {
          sum += tensor_value(kKey, TENSOR_FP64, 2, step % 4, 0, 4 + k) *
                 tensor_value(kKey, TENSOR_FP64, 2, step % 4, 1, 8 * k + column);
        }
      }
      result = unit_turn(result, 7) ^ std::bit_cast<uint64_t>(sum);
    }
    EXPECT_EQ(expected[TENSOR_FP64 * 128 + 70], result) << steps;
  }
}

}  // namespace
}  // namespace muster::physical
