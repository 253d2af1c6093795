#include "suites/physical/unit_special.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>

#include "absl/strings/str_format.h"
#include "suites/physical/unit_special.kernels.h"
#include "suites/physical/unit_special_fp64.kernels.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

// That have a word in what a value is.
constexpr uint32_t kVoices = 5;
constexpr size_t kWrongKept = 16;

using Real = long double;

// Where a function's inputs lie.
enum class Domain { kAngle, kSmallAngle, kExponent, kPositive, kFarFromOne, kNear, kAny, kPower };

struct Function {
  const char* name;
  Domain domain;
  Real (*reference)(Real x, Real y);
  double cuda_ulp;
  double opencl_ulp;
  // Not of the value but of 1, in units of 2^-23.
  bool absolute = false;
};

// __expf: 2 + floor(|1.173 x|) of inputs to 80; __sinf and __cosf: 2^-21.41 and 2^-21.19.
constexpr double kCudaNativeExp = 95;
constexpr double kCudaNativeSin = 3.02;
constexpr double kCudaNativeCos = 3.51;
constexpr double kOpenClNative = 8192;

// In the order of SPECIAL_FUNCTIONS.
const Function kFloats[] = {
    {"sin", Domain::kAngle, [](Real x, Real) { return std::sin(x); }, 2, 4},
    {"cos", Domain::kAngle, [](Real x, Real) { return std::cos(x); }, 2, 4},
    {"tan", Domain::kAngle, [](Real x, Real) { return std::tan(x); }, 4, 5},
    {"exp", Domain::kExponent, [](Real x, Real) { return std::exp(x); }, 2, 3},
    {"exp2", Domain::kExponent, [](Real x, Real) { return std::exp2(x); }, 2, 3},
    {"log", Domain::kPositive, [](Real x, Real) { return std::log(x); }, 1, 3},
    {"log2", Domain::kPositive, [](Real x, Real) { return std::log2(x); }, 1, 3},
    {"rsqrt", Domain::kPositive, [](Real x, Real) { return 1 / std::sqrt(x); }, 2, 2},
    {"tanh", Domain::kNear, [](Real x, Real) { return std::tanh(x); }, 2, 5},
    {"atan", Domain::kAny, [](Real x, Real) { return std::atan(x); }, 2, 5},
    {"cbrt", Domain::kAny, [](Real x, Real) { return std::cbrt(x); }, 1, 2},
    {"pow", Domain::kPower, [](Real x, Real y) { return std::pow(x, y); }, 4, 16},
    {"native_sin", Domain::kSmallAngle, [](Real x, Real) { return std::sin(x); }, kCudaNativeSin, kOpenClNative, true},
    {"native_cos", Domain::kSmallAngle, [](Real x, Real) { return std::cos(x); }, kCudaNativeCos, kOpenClNative, true},
    {"native_exp", Domain::kExponent, [](Real x, Real) { return std::exp(x); }, kCudaNativeExp, kOpenClNative},
    {"native_log2", Domain::kFarFromOne, [](Real x, Real) { return std::log2(x); }, 2, kOpenClNative},
};
// In the order of SPECIAL_DOUBLES.
const Function kDoubles[] = {
    {"sin_fp64", Domain::kAngle, [](Real x, Real) { return std::sin(x); }, 2, 4},
    {"cos_fp64", Domain::kAngle, [](Real x, Real) { return std::cos(x); }, 2, 4},
    {"exp_fp64", Domain::kExponent, [](Real x, Real) { return std::exp(x); }, 1, 3},
    {"log_fp64", Domain::kPositive, [](Real x, Real) { return std::log(x); }, 1, 3},
    {"rsqrt_fp64", Domain::kPositive, [](Real x, Real) { return 1 / std::sqrt(x); }, 1, 2},
    {"tanh_fp64", Domain::kNear, [](Real x, Real) { return std::tanh(x); }, 1, 5},
    {"atan_fp64", Domain::kAny, [](Real x, Real) { return std::atan(x); }, 2, 5},
    {"cbrt_fp64", Domain::kAny, [](Real x, Real) { return std::cbrt(x); }, 1, 2},
};

const Function& FunctionOf(bool fp64, size_t index) { return fp64 ? kDoubles[index] : kFloats[index]; }

// From 0 to 1, without it.
double Fraction(uint32_t key, uint32_t index) { return mix_bits(key ^ mix_bits(index)) * 0x1p-32; }

double Signed(double magnitude, uint32_t choice) { return (choice & 1) != 0 ? -magnitude : magnitude; }

// One input, of magnitudes over all of the domain; results stay normal numbers.
double Draw(Domain domain, uint32_t key, uint32_t index) {
  const double first = Fraction(key, 3 * index);
  const double second = Fraction(key, 3 * index + 1);
  const uint32_t choice = mix_bits(key + 3 * index + 2);
  switch (domain) {
    case Domain::kAngle:
      // One in eight far out, where the argument's reduction is another.
      return Signed(choice % 8 < 2 ? std::exp2(40 * second) * (1 + first) : 8 * first, choice >> 8);
    case Domain::kSmallAngle:
      return Signed(3.14 * first, choice);
    case Domain::kExponent:
      return Signed(80 * first, choice);
    case Domain::kPositive:
      return (1 + first) * std::exp2(std::floor(choice % 2 == 0 ? 240 * second - 120 : 4 * second - 2));
    case Domain::kFarFromOne:
      return (1 + first) * std::exp2(std::floor(choice % 2 == 0 ? 100 * second + 2 : -100 * second - 3));
    case Domain::kNear:
      return Signed(choice % 4 == 0 ? first * std::exp2(-20 * second) : 9 * first, choice >> 8);
    case Domain::kAny:
      return Signed((1 + first) * std::exp2(std::floor(120 * second - 60)), choice);
    case Domain::kPower:
      return 0.1 + 10 * first;
  }
  return 0;
}

// An input as its word: fp32 with the second operand above the first.
uint64_t InputOf(bool fp64, const Function& function, uint32_t key, uint32_t index) {
  const double x = Draw(function.domain, key, index);
  if (fp64) {
    // A fraction of 32 bits leaves the lower ones empty.
    return std::bit_cast<uint64_t>(x) ^ (mix_bits(key ^ (index + 77)) & 0xfffff);
  }
  const auto y = static_cast<float>(Signed(20 * Fraction(key + 1, index), mix_bits(key - index)));
  return uint64_t{std::bit_cast<uint32_t>(y)} << 32 | std::bit_cast<uint32_t>(static_cast<float>(x));
}

std::vector<uint64_t> SpecialInputs(bool fp64, size_t functions, uint32_t key) {
  std::vector<uint64_t> inputs;
  for (uint32_t function = 0; function < functions; ++function) {
    for (uint32_t i = 0; i < SPECIAL_INPUTS; ++i) {
      inputs.push_back(InputOf(fp64, FunctionOf(fp64, function), mix_bits(key + function), i));
    }
  }
  return inputs;
}

// The distance of neighbouring numbers of the format at a value.
Real LastPlace(Real value, bool fp64) {
  const int exponent = value == 0 ? -1000 : std::ilogb(value);
  return fp64 ? std::ldexp(Real{1}, std::max(exponent, -1022) - 52)
              : std::ldexp(Real{1}, std::max(exponent, -126) - 23);
}

// What most of the groups found, value by value.
std::vector<uint64_t> MostlyFound(const std::vector<uint64_t>& tables, SpecialReport& report) {
  const size_t size = tables.size() / kVoices;
  std::vector<uint64_t> values(size);
  for (size_t i = 0; i < size; ++i) {
    std::map<uint64_t, uint32_t> voices;
    for (uint32_t group = 0; group < kVoices; ++group) ++voices[tables[group * size + i]];
    if (voices.size() > 1) ++report.disputed_values;
    values[i] = std::max_element(voices.begin(), voices.end(), [](const auto& a, const auto& b) {
                  return a.second < b.second;
                })->first;
  }
  return values;
}

std::vector<uint64_t> Table(ComputeDevice& device, const char* kernel, const std::vector<uint64_t>& inputs,
                            const UnitArguments& arguments, SpecialReport& report) {
  std::vector<uint64_t> tables(inputs.size() * kVoices);
  const auto free = [&device](void* memory) { device.Free(memory); };
  using Memory = std::unique_ptr<void, decltype(free)>;
  const Memory on_device(device.Allocate(inputs.size() * sizeof(uint64_t)), free);
  const Memory results(device.Allocate(tables.size() * sizeof(uint64_t)), free);
  const Memory units(device.Allocate(kVoices * sizeof(u32)), free);
  if (on_device == nullptr || results == nullptr || units == nullptr) {
    throw sdk::ToolError("expected a few megabytes of free device memory, found none");
  }
  device.Copy(on_device.get(), inputs.data(), inputs.size() * sizeof(uint64_t));
  device.Launch({.kernel = kernel,
                 .groups = kVoices,
                 .group_size = 256,
                 .buffers = {on_device.get(), results.get(), units.get()},
                 .arguments = &arguments,
                 .arguments_size = sizeof(arguments)});
  device.ReadBack(tables.data(), results.get(), tables.size() * sizeof(uint64_t));
  return MostlyFound(tables, report);
}

UnitWork WorkOf(bool fp64, ComputeDevice& device, SpecialDocument document, SpecialReport& report) {
  const size_t functions = fp64 ? std::size(kDoubles) : std::size(kFloats);
  UnitWork work = {.kernel = fp64 ? "unit_special_fp64" : "unit_special"};
  for (size_t i = 0; i < functions; ++i) work.operations.emplace_back(FunctionOf(fp64, i).name);
  work.inputs = [fp64, functions](uint32_t key) { return SpecialInputs(fp64, functions, key); };
  work.expect = [fp64, functions, &device, document, &report](
                    const UnitWork& shape, const std::vector<uint64_t>& inputs, const UnitArguments& arguments) {
    const std::vector<uint64_t> values =
        Table(device, fp64 ? "unit_special_table_fp64" : "unit_special_table", inputs, arguments, report);
    for (size_t i = 0; i < functions; ++i) {
      const auto first = static_cast<std::ptrdiff_t>(i * SPECIAL_INPUTS);
      CheckSpecial(fp64, i, document, {inputs.begin() + first, inputs.begin() + first + SPECIAL_INPUTS},
                   {values.begin() + first, values.begin() + first + SPECIAL_INPUTS}, report);
    }
    return ExpectByLane(shape, [&](uint32_t operation, uint32_t lane) {
      uint64_t digest = 0;
      for (u32 step = 0; step < arguments.steps; ++step) {
        digest = unit_turn(digest, 9) + values[operation * SPECIAL_INPUTS + special_place(arguments, lane, step)];
      }
      return digest;
    });
  };
  return work;
}

}  // namespace

void CheckSpecial(bool fp64, size_t function, SpecialDocument document, const std::vector<uint64_t>& inputs,
                  const std::vector<uint64_t>& values, SpecialReport& report) {
  const Function& what = FunctionOf(fp64, function);
  const double bound = document == SpecialDocument::kCuda ? what.cuda_ulp + 0.5 : what.opencl_ulp;
  double& worst = report.worst_ulp[what.name];
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Real x = fp64 ? Real{AS_DOUBLE(inputs[i])} : Real{AS_FLOAT(inputs[i])};
    const Real y = AS_FLOAT(inputs[i] >> 32);
    const Real found = fp64 ? Real{AS_DOUBLE(values[i])} : Real{AS_FLOAT(values[i])};
    const Real reference = what.reference(x, y);
    const Real unit = what.absolute ? std::ldexp(Real{1}, -23) : LastPlace(reference, fp64);
    const auto error = static_cast<double>(std::abs(found - reference) / unit);
    // A NaN is worse than any number.
    const bool right = error <= bound;
    worst = std::max(worst, error == error ? error : std::numeric_limits<double>::infinity());
    if (right) continue;
    ++report.wrong_values;
    if (report.wrong.size() >= kWrongKept) continue;
    report.wrong.push_back(absl::StrFormat(
        "%s of 0x%016x (%.9g): expected %.17g within %.1f units in the last place, found %.17g (0x%016x), %.1f off",
        what.name, inputs[i], static_cast<double>(x), static_cast<double>(reference), bound, static_cast<double>(found),
        values[i], error));
  }
}

UnitWork SpecialWork(ComputeDevice& device, SpecialDocument document, SpecialReport& report) {
  return WorkOf(false, device, document, report);
}

UnitWork SpecialDoubleWork(ComputeDevice& device, SpecialDocument document, SpecialReport& report) {
  return WorkOf(true, device, document, report);
}

}  // namespace muster::physical
