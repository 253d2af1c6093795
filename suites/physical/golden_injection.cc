#include "suites/physical/golden_injection.h"

#include <charconv>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

uint32_t Number(const std::string& text, const std::string& whole) {
  uint32_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) {
    throw sdk::ToolError(absl::StrCat("inject_gemm: expected a number, found '", text, "' in '", whole, "'"));
  }
  return number;
}

uint64_t BitsOf(double number, bool fp64) {
  return fp64 ? DOUBLE_BITS(number) : FLOAT_BITS(static_cast<float>(number));
}

}  // namespace

std::optional<GoldenInjection> ParseGoldenInjection(const std::string& text, sdk::MatrixType type) {
  if (text.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  const bool fp64 = type == sdk::MatrixType::kFp64;
  GoldenInjection injection;
  if (parts.size() >= 3) {
    injection.row = Number(parts[1], text);
    injection.column = Number(parts[2], text);
  }
  const std::string& kind = parts[0];
  if (parts.size() == 4) {
    const uint32_t last = Number(parts[3], text);
    if ((kind == "bit" || kind == "stuck") && last < (fp64 ? 64u : 32u)) {
      injection.bits = uint64_t{1} << last;
      injection.every = kind == "stuck";
      injection.action = injection.every ? GOLDEN_STUCK : GOLDEN_FLIP;
      return injection;
    }
    if (kind == "drop" && last != 0 && last <= 32768) {
      injection.side = last;
      injection.action = GOLDEN_RESTORE;
      return injection;
    }
  }
  if (parts.size() == 3 && (kind == "nan" || kind == "inf" || kind == "tile")) {
    injection.action = GOLDEN_SET;
    if (kind == "tile") injection.side = 16;
    if (kind == "nan") injection.bits = BitsOf(std::nan(""), fp64);
    if (kind == "inf") injection.bits = BitsOf(HUGE_VAL, fp64);
    return injection;
  }
  throw sdk::ToolError(
      absl::StrCat("inject_gemm: expected bit:ROW:COLUMN:BIT, stuck:ROW:COLUMN:BIT, nan:ROW:COLUMN, inf:ROW:COLUMN, "
                   "tile:ROW:COLUMN or drop:ROW:COLUMN:SIDE, found '",
                   text, "'"));
}

}  // namespace muster::physical
