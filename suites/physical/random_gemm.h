// How fast an engine multiplies matrices of random numbers, and whether the product is right, by samples that the host
// computes.
#ifndef MUSTER_SUITES_PHYSICAL_RANDOM_GEMM_H_
#define MUSTER_SUITES_PHYSICAL_RANDOM_GEMM_H_

#include <cstdint>
#include <string>

#include "suites/physical/compute_device.h"
#include "suites/physical/matrix_engine.h"

namespace muster::physical {

struct RandomGemmOptions {
  MatrixProduct product;
  // What a power-limited GPU runs at after its first moments: as long at work before the timing begins.
  double warm_up_seconds = 0.5;
  // Timed products: at least `least_products`, and for so long.
  uint32_t least_products = 5;
  double seconds = 0.1;
  // A bit of one checked entry is turned over as it is read back: a test of the test.
  bool inject = false;
};

struct RandomGemmReport {
  // In words why the device or library cannot do this; nothing else is set then.
  std::string unsupported;
  uint64_t products = 0;  // That were timed.
  double operations_per_second = 0;
  uint64_t checked = 0;  // Entries.
  uint64_t wrong = 0;
  // "row 3, column 5: expected 1.25, found nan"; of the first wrong one.
  std::string first_wrong;
};

// One entry in each of 32 × 32 parts of the result is computed on the host in double precision. a of fp32 and fp64 lies
// in columns where the engine takes it so.
RandomGemmReport RunRandomGemm(ComputeDevice& device, MatrixEngine& engine, const RandomGemmOptions& options);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_RANDOM_GEMM_H_
