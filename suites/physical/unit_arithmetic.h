// Arithmetic whose every bit is known, as work for a sweep over the units of a device. The host computes what it
// expects from the same source, by its own compiler and its own processor.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_ARITHMETIC_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_ARITHMETIC_H_

#include "suites/physical/unit_sweep.h"

namespace muster::physical {

// 34 operations of 32 and 64 bits.
UnitWork IntegerWork();

// fp32 as IEEE 754 has it, subnormal numbers, signed zeros, infinities and NaN among the operands. Division and square
// root only where the device rounds them correctly (DeviceTraits.exact_division).
UnitWork FloatWork(bool with_division);

// The same in fp64, division and square root always.
UnitWork DoubleWork();

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_ARITHMETIC_H_
