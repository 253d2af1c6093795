// Which of the algorithms that a library proposes for one job is the fastest here.
#ifndef MUSTER_SUITES_PHYSICAL_ALGORITHM_TRIALS_H_
#define MUSTER_SUITES_PHYSICAL_ALGORITHM_TRIALS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace muster::physical {

// What so many runs of an algorithm, back to back, took in all; nothing when the library refuses it.
using AlgorithmSeconds = std::function<std::optional<double>(size_t algorithm, uint64_t runs)>;

// Single runs of each find the likely three, which then take turns of some milliseconds each: alone, the first runs
// would decide by clocks that are yet to settle. Of one algorithm there is one run. Nothing when all are refused.
std::optional<size_t> FastestAlgorithm(size_t algorithms, const AlgorithmSeconds& seconds_of);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_ALGORITHM_TRIALS_H_
