// What the host expects of a golden product, beside what the device does: a device must not vouch for itself.
#ifndef MUSTER_SUITES_PHYSICAL_GOLDEN_ORACLE_H_
#define MUSTER_SUITES_PHYSICAL_GOLDEN_ORACLE_H_

#include <cstdint>
#include <vector>

#include "suites/physical/golden_gemm.kernels.h"

namespace muster::physical {

// Computes b × weights and a × (b × weights) anew, on the host's processors: all of it, or, where `samples` is not 0,
// so many entries of each, others for other keys. Throws DeviceFailure when the device has others.
void ExpectSumsAsOnHost(const GoldenArguments& product, const std::vector<u64>& sums, uint32_t samples);
// `sums` are those that were compared.
void ExpectRowsAsOnHost(const GoldenArguments& product, const std::vector<u64>& sums, const std::vector<u64>& rows,
                        uint32_t samples);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_GOLDEN_ORACLE_H_
