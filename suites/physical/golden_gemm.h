// Matrix products with one right answer, checked bit for bit while they run.
//
// A round has fresh operands; its products are multiplied by the device's own library and each is checked on the device
// (golden_gemm.kernels.h). What the check expects of the first round is computed on the host, too: the device must not
// vouch for itself.
#ifndef MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_H_
#define MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "suites/physical/compute_device.h"
#include "suites/physical/golden_gemm.kernels.h"
#include "suites/sdk/peak.h"

namespace muster::physical {

// What multiplies: a vendor's library, or the plain kernel.
class MatrixEngine {
 public:
  virtual ~MatrixEngine() = default;
  // "cuBLASLt 13.1.0".
  virtual std::string Name() const = 0;
  // Makes ready for c = a × b of this size and type, a in rows, b and c in columns, c in the type of the sums. In words
  // why not; empty when it can.
  virtual std::string Prepare(sdk::MatrixType type, uint32_t size, void* a, void* b, void* c) = 0;
  // Queues the product.
  virtual void Multiply() = 0;
};

// golden_multiply; fp32 alone.
std::unique_ptr<MatrixEngine> MakePlainEngine(ComputeDevice& device);

// A fault that the test makes by itself in the result of the round's last product, to see that it is found.
struct GoldenInjection {
  uint32_t row = 0;
  uint32_t column = 0;
  uint32_t side = 1;  // Of the square.
  bool set = false;   // `bits` takes the entry's place; otherwise its bits are turned over.
  uint64_t bits = 0;
};
// "bit:ROW:COLUMN:BIT", "nan:ROW:COLUMN", "inf:ROW:COLUMN", "tile:ROW:COLUMN" (16 × 16 zeros); empty: none. Throws
// ToolError for others.
std::optional<GoldenInjection> ParseGoldenInjection(const std::string& text, sdk::MatrixType type);

struct GoldenOptions {
  sdk::MatrixType type = sdk::MatrixType::kBf16;
  uint32_t size = 8192;  // A multiple of 64, at most 32,768.
  uint64_t seed = 1;
  // Rounds go on until the checked products have taken so long, at least one.
  double seconds = 0.25;
  uint32_t products_per_round = 16;
  std::optional<GoldenInjection> injection;
};

struct GoldenError {
  uint32_t row = 0;
  uint32_t column = 0;
  int64_t expected = 0;
  double found = 0;
  std::string Describe() const;
};

struct GoldenReport {
  // In words why the device or library cannot do this; nothing else is set then.
  std::string unsupported;
  uint64_t products = 0;
  uint64_t wrong_rows = 0;
  uint64_t strips_not_whole = 0;
  std::vector<GoldenError> errors;  // Located in the first wrong product, at most 16.
  // Of the weighed rows of the first round: the same number on every GPU of every vendor, for the same size, seed and
  // bound.
  uint64_t digest = 0;
  double operations = 0;            // Of the checked products.
  double checked_per_second = 0;    // Operations a second, the checks' time included.
  double unchecked_per_second = 0;  // The same products without checks, in the same rounds.
};

// Largest magnitude of an operand's entries, so that all sums are exact.
uint32_t GoldenBound(sdk::MatrixType type);
// "bf16".
std::string MatrixTypeName(sdk::MatrixType type);

GoldenReport RunGolden(ComputeDevice& device, MatrixEngine& engine, const GoldenOptions& options);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_H_
