#include "suites/physical/unit_arithmetic.h"

#include "absl/strings/str_format.h"
#include "suites/physical/unit_float.kernels.h"
#include "suites/physical/unit_float_fp64.kernels.h"
#include "suites/physical/unit_integer.kernels.h"

namespace muster::physical {
namespace {

constexpr uint32_t kInputs = 4096;

struct Operation {
  const char* name;
  u64 (*on_host)(const u64* inputs, u32 lane, UnitArguments arguments, u64 fault);
};

std::string DescribeOperands(const std::vector<uint64_t>& inputs, const UnitArguments& arguments, uint32_t lane,
                             uint32_t step) {
  const uint32_t at = UNIT_PLACE(arguments, lane, step);
  return absl::StrFormat("0x%016x, 0x%016x and 0x%016x", inputs[UNIT_FIRST(at) & arguments.input_mask],
                         inputs[UNIT_SECOND(at) & arguments.input_mask], inputs[UNIT_THIRD(at) & arguments.input_mask]);
}

UnitWork WorkOf(const char* kernel, const std::vector<Operation>& operations,
                std::vector<uint64_t> (*make_inputs)(uint32_t key, uint32_t count)) {
  UnitWork work = {.kernel = kernel};
  for (const Operation& operation : operations) work.operations.emplace_back(operation.name);
  work.inputs = [make_inputs](uint32_t key) { return make_inputs(key, kInputs); };
  work.expect = [operations](const UnitWork& shape, const std::vector<uint64_t>& inputs,
                             const UnitArguments& arguments) {
    // uint64_t is another type than the kernels' u64, of the same size.
    const std::vector<u64> words(inputs.begin(), inputs.end());
    return ExpectByLane(shape, [&](uint32_t operation, uint32_t lane) -> uint64_t {
      return operations[operation].on_host(words.data(), lane, arguments, 0);
    });
  };
  work.describe = DescribeOperands;
  return work;
}

// Bits of a number with `fraction` bits of fraction and so many of exponent, out of random bits: half of them near one,
// the others anywhere or at the edges of the format.
uint64_t FloatOf(uint64_t random, uint32_t choice, int fraction, int exponent_bits) {
  const uint64_t fractions = (uint64_t{1} << fraction) - 1;
  const uint64_t exponents = (uint64_t{1} << exponent_bits) - 1;
  const uint64_t sign = (random >> 63) << (fraction + exponent_bits);
  const uint64_t whole = random >> (63 - fraction - exponent_bits);
  const uint64_t edges[] = {0,
                            1,          // The smallest subnormal number,
                            fractions,  // the largest,
                            fractions + 1,
                            fractions + 2,
                            exponents << fraction,        // infinity,
                            (exponents << fraction) - 1,  // the largest number,
                            exponents << fraction | (fractions + 1) >> 1,
                            exponents >> 1 << fraction,        // one,
                            (exponents >> 1 << fraction) + 1,  // its neighbours,
                            (exponents >> 1 << fraction) - 1,
                            ((exponents >> 1) - 1) << fraction,         // a half,
                            ((exponents >> 1) + fraction) << fraction,  // from here on whole numbers alone.
                            ((exponents >> 1) + fraction + 1) << fraction | 1};
  const uint64_t near = (exponents >> 1) - 16 + (choice >> 16) % 32;
  if (choice % 8 < 4) return sign | near << fraction | (whole & fractions);
  if (choice % 8 == 4) return sign | (whole & fractions);  // Subnormal.
  if (choice % 8 < 7) return sign | (whole & (exponents << fraction | fractions));
  return sign | edges[(choice >> 8) % std::size(edges)];
}

uint64_t Random(uint32_t key, uint32_t i) { return uint64_t{mix_bits(key + 2 * i)} << 32 | mix_bits(key + 2 * i + 1); }

std::vector<uint64_t> FloatInputs(uint32_t key, uint32_t count) {
  std::vector<uint64_t> inputs(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t choice = mix_bits(key ^ mix_bits(i));
    inputs[i] =
        FloatOf(Random(key, 2 * i), choice, 23, 8) << 32 | FloatOf(Random(key, 2 * i + 1), mix_bits(choice), 23, 8);
  }
  return inputs;
}

std::vector<uint64_t> DoubleInputs(uint32_t key, uint32_t count) {
  std::vector<uint64_t> inputs(count);
  for (uint32_t i = 0; i < count; ++i) inputs[i] = FloatOf(Random(key, i), mix_bits(key ^ mix_bits(i)), 52, 11);
  return inputs;
}

#define INTEGER_ENTRY(name, result) {#name, integer_##name##_chain},
#define FLOAT_ENTRY(name, result) {#name "_fp32", float_##name##_chain},
#define DOUBLE_ENTRY(name, result) {#name "_fp64", double_##name##_chain},

}  // namespace

UnitWork IntegerWork() {
  return WorkOf("unit_integer", {INTEGER_OPERATIONS_32(INTEGER_ENTRY) INTEGER_OPERATIONS_64(INTEGER_ENTRY)},
                IntegerInputs);
}

UnitWork FloatWork(bool with_division) {
  if (!with_division) return WorkOf("unit_float", {FLOAT_OPERATIONS(FLOAT_ENTRY)}, FloatInputs);
  return WorkOf("unit_float_division", {FLOAT_OPERATIONS(FLOAT_ENTRY) FLOAT_DIVISIONS(FLOAT_ENTRY)}, FloatInputs);
}

UnitWork DoubleWork() { return WorkOf("unit_double", {DOUBLE_OPERATIONS(DOUBLE_ENTRY)}, DoubleInputs); }

}  // namespace muster::physical
