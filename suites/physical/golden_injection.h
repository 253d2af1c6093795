// A fault that a golden product makes by itself, to see that it is found.
#ifndef MUSTER_SUITES_PHYSICAL_GOLDEN_INJECTION_H_
#define MUSTER_SUITES_PHYSICAL_GOLDEN_INJECTION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "suites/physical/golden_gemm.kernels.h"
#include "suites/sdk/peak.h"

namespace muster::physical {

// In the result of the first round's last product, or of all products.
struct GoldenInjection {
  uint32_t row = 0;
  uint32_t column = 0;
  uint32_t side = 1;  // Of the square.
  uint32_t action = GOLDEN_FLIP;
  uint64_t bits = 0;
  bool every = false;

  // The entries that were there before the product are put back after it: its write is lost.
  bool Drops() const { return action == GOLDEN_RESTORE; }
};

// "bit:ROW:COLUMN:BIT" (turned over once), "stuck:ROW:COLUMN:BIT" (a one in every product), "nan:ROW:COLUMN",
// "inf:ROW:COLUMN", "tile:ROW:COLUMN" (16 × 16 zeros), "drop:ROW:COLUMN:SIDE"; empty: none. Throws ToolError for
// others.
std::optional<GoldenInjection> ParseGoldenInjection(const std::string& text, sdk::MatrixType type);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_GOLDEN_INJECTION_H_
