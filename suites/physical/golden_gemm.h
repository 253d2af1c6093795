// Matrix products with one right answer, checked bit for bit while they run.
//
// A round has fresh operands; its products are multiplied by an engine of the device and each is checked on the device
// (golden_gemm.kernels.h). Products of a round take two right operands by turns, so that a result that was not written
// shows. Every second round is scaled: exponents from one end of the type's range to the other. What the check expects
// is computed on the host, too (golden_oracle.h).
#ifndef MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_H_
#define MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "suites/physical/compute_device.h"
#include "suites/physical/golden_injection.h"
#include "suites/physical/matrix_engine.h"

namespace muster::physical {

struct GoldenReport;

struct GoldenOptions {
  // Rows, columns and depth are multiples of 64; no operand has more than 2^31 entries.
  MatrixProduct product;
  uint64_t seed = 1;
  // Rounds go on until the checked products have taken so long.
  double seconds = 0.25;
  uint32_t least_rounds = 2;
  uint32_t products_per_round = 8;  // At least two.
  // The same products are done without checks in the first rounds, to compare, for at most about so long.
  double unchecked_seconds = 1;
  // A product of this size comes first, expected on the host in full: the digest is its. 0: none, the digest is the
  // first round's.
  uint32_t reference_size = 1024;
  // The host expects the first round in full, and not samples.
  bool host_expects_all = false;
  std::optional<GoldenInjection> injection;
  uint32_t injection_round = 0;  // One that is not of every product is made there.
  // Asked before each round, with what was done so far, in place of `seconds` and `least_rounds`.
  std::function<bool(const GoldenReport& so_far)> go_on;
};

struct GoldenError {
  uint32_t row = 0;
  // Nothing: the product was overwritten before it could be looked through.
  std::optional<uint32_t> column;
  double expected = 0;
  double found = 0;
  std::string Describe() const;
};

// What the same product gave when it was done again.
enum class GoldenVerdict { kNone, kOnce, kIntermittent, kPermanent };
std::string GoldenVerdictName(GoldenVerdict verdict);

struct GoldenReport {
  // In words why the device or library cannot do this; nothing else is set then.
  std::string unsupported;
  uint64_t products = 0;
  uint64_t wrong_rows = 0;
  uint64_t strips_not_whole = 0;
  std::vector<GoldenError> errors;  // Located in the first wrong product, at most 16.
  // "round 0, product 7".
  std::string first_wrong;
  uint32_t retests = 0;
  uint32_t wrong_retests = 0;
  GoldenVerdict verdict = GoldenVerdict::kNone;
  // Of the weighed rows: the same number on every GPU of every vendor, for the same size, seed and bound.
  uint64_t digest = 0;
  double operations = 0;          // Of the checked products.
  double checked_per_second = 0;  // Operations a second, the checks' time included.
  // Of the rounds that did their products without checks, too: 0 where none did.
  double compared_per_second = 0;
  double unchecked_per_second = 0;
};

// Largest magnitude of an operand's entries before scaling, so that all sums are exact.
uint32_t GoldenBound(sdk::MatrixType type);

// Throws ToolError for options that cannot be, DeviceFailure when the device expects what the host does not.
GoldenReport RunGolden(ComputeDevice& device, MatrixEngine& engine, const GoldenOptions& options);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_GOLDEN_GEMM_H_
