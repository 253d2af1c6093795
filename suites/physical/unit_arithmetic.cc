#include "suites/physical/unit_arithmetic.h"

#include "absl/strings/str_format.h"
#include "suites/physical/unit_integer.kernels.h"

namespace muster::physical {
namespace {

constexpr uint32_t kInputs = 4096;

using LaneFunction = uint64_t (*)(const u64* inputs, uint32_t lane, const UnitArguments& arguments);

struct Operation {
  const char* name;
  LaneFunction on_host;
};

// The operands' place follows from lane and step as in the kernels' chains.
std::string DescribeOperands(const std::vector<uint64_t>& inputs, const UnitArguments& arguments, uint32_t lane,
                             uint32_t step) {
  const uint32_t at = lane * 37 + arguments.key + step;
  return absl::StrFormat("0x%016x and 0x%016x", inputs[at & arguments.input_mask],
                         inputs[(at * 5 + 1) & arguments.input_mask]);
}

UnitWork WorkOf(const char* kernel, const std::vector<Operation>& operations,
                std::vector<uint64_t> (*make_inputs)(uint32_t key, uint32_t count)) {
  UnitWork work = {.kernel = kernel};
  for (const Operation& operation : operations) work.operations.emplace_back(operation.name);
  work.inputs = [make_inputs](uint32_t key) { return make_inputs(key, kInputs); };
  work.expect = [&operations](const UnitWork& shape, const std::vector<uint64_t>& inputs,
                              const UnitArguments& arguments) {
    // uint64_t is a type of its own beside the kernels' u64, of the same size.
    const std::vector<u64> words(inputs.begin(), inputs.end());
    return ExpectByLane(shape, [&](uint32_t operation, uint32_t lane) {
      return operations[operation].on_host(words.data(), lane, arguments);
    });
  };
  work.describe = DescribeOperands;
  return work;
}

}  // namespace

UnitWork IntegerWork() {
#define INTEGER_ENTRY(name, result)                                                          \
  {#name, [](const u64* inputs, uint32_t lane, const UnitArguments& arguments) -> uint64_t { \
     return integer_chain_##name(inputs, lane, arguments, 0);                                \
   }},
  static const auto& operations =
      *new std::vector<Operation>{INTEGER_OPERATIONS_32(INTEGER_ENTRY) INTEGER_OPERATIONS_64(INTEGER_ENTRY)};
#undef INTEGER_ENTRY
  return WorkOf("unit_integer", operations, IntegerInputs);
}

}  // namespace muster::physical
