// Functions with a stated error, as work for a sweep over the units of a device. What the units must agree on comes
// from the device, for no two vendors' functions give the same bits; before, each value of it is checked on the host
// against a reference of more bits, and is what most of several groups on different units found.
//
// The bounds: NVIDIA's CUDA C++ Programming Guide 13, "Mathematical Functions", tables of maximum ulp error (of the
// rounded reference: half an ulp more of the true value) and of intrinsic functions; The OpenCL C Specification,
// "Relative error as ULPs". For native_… OpenCL promises nothing: a relative error of 2^-10 is asked for.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_SPECIAL_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_SPECIAL_H_

#include <map>
#include <string>
#include <vector>

#include "suites/physical/unit_sweep.h"

namespace muster::physical {

enum class SpecialDocument { kCuda, kOpenCl };

// What the host found of the device's functions; grows with each round of the sweep.
struct SpecialReport {
  // The largest error of each function, in units in the last place (native_sin and native_cos: of 1).
  std::map<std::string, double> worst_ulp;
  // "sin of 0x40490fdb: expected -8.74e-08 within 2.5 ulp, found …"; at most 16, and how many there were.
  std::vector<std::string> wrong;
  uint64_t wrong_values = 0;
  // Values on which the groups were not of one mind.
  uint64_t disputed_values = 0;
};

// Both outlive the work. The expectation is computed on `device` at each call.
UnitWork SpecialWork(ComputeDevice& device, SpecialDocument document, SpecialReport& report);
// fp64.
UnitWork SpecialDoubleWork(ComputeDevice& device, SpecialDocument document, SpecialReport& report);

// Checks the values of a function (by its place in the work) for these inputs.
void CheckSpecial(bool fp64, size_t function, SpecialDocument document, const std::vector<uint64_t>& inputs,
                  const std::vector<uint64_t>& values, SpecialReport& report);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_SPECIAL_H_
