// Work in which the lanes of a group need each other, for a sweep over the units of a device: shuffles, sums through
// local memory, registers, atomic operations. The host plays all lanes of a group, one after the other.
#ifndef MUSTER_SUITES_PHYSICAL_UNIT_EXCHANGE_H_
#define MUSTER_SUITES_PHYSICAL_UNIT_EXCHANGE_H_

#include "suites/physical/unit_sweep.h"

namespace muster::physical {

// Shuffles by index, xor, up and down, broadcast, ballot, any and all; `width` is DeviceTraits.shuffle_width.
UnitWork ShuffleWork(uint32_t width);

// Sums and running sums of a group, permutations through local memory, many live registers; the sum of all groups.
UnitWork ReductionWork();

// Add, min, max, and, or, xor, exchange, compare-and-exchange and tickets, on local and on global memory; tickets of
// all groups together. In 64 bits only where DeviceTraits.atomics_64.
UnitWork AtomicsWork();
UnitWork Atomics64Work();

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_UNIT_EXCHANGE_H_
