#include "base/units.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace muster::base {
namespace {

enum class Prefixes { kSi, kSiSmall, kIec };  // kSiSmall: no larger than the unit itself, for seconds.

struct KnownUnit {
  absl::string_view written;
  absl::string_view shown;
  Prefixes prefixes;
};
constexpr std::array kKnownUnits = std::to_array<KnownUnit>({
    {"B/s", "B/s", Prefixes::kSi},      {"By/s", "B/s", Prefixes::kSi},      {"bytes/s", "B/s", Prefixes::kSi},
    {"B", "B", Prefixes::kIec},         {"By", "B", Prefixes::kIec},         {"bytes", "B", Prefixes::kIec},
    {"bit/s", "bit/s", Prefixes::kSi},  {"FLOP/s", "FLOP/s", Prefixes::kSi}, {"flop/s", "FLOP/s", Prefixes::kSi},
    {"FLOPS", "FLOP/s", Prefixes::kSi}, {"FLOP", "FLOP", Prefixes::kSi},     {"flop", "FLOP", Prefixes::kSi},
    {"op/s", "op/s", Prefixes::kSi},    {"T/s", "T/s", Prefixes::kSi},       {"Hz", "Hz", Prefixes::kSi},
    {"W", "W", Prefixes::kSi},          {"J", "J", Prefixes::kSi},           {"V", "V", Prefixes::kSi},
    {"s", "s", Prefixes::kSiSmall},
});

struct Prefix {
  absl::string_view text;
  double factor;
};
constexpr std::array kSi = std::to_array<Prefix>({{"n", 1e-9},
                                                  {"µ", 1e-6},
                                                  {"m", 1e-3},
                                                  {"", 1},
                                                  {"k", 1e3},
                                                  {"M", 1e6},
                                                  {"G", 1e9},
                                                  {"T", 1e12},
                                                  {"P", 1e15},
                                                  {"E", 1e18}});
constexpr std::array kIec = std::to_array<Prefix>({{"", 1},
                                                   {"Ki", 1024.0},
                                                   {"Mi", 1048576.0},
                                                   {"Gi", 1073741824.0},
                                                   {"Ti", 1099511627776.0},
                                                   {"Pi", 1125899906842624.0}});
// Also written for µ: ASCII, and the Greek letter.
constexpr std::array kMicro = std::to_array<Prefix>({{"u", 1e-6}, {"μ", 1e-6}});

struct Parsed {
  absl::string_view shown;
  Prefixes prefixes;
  double factor;
};

std::optional<Parsed> ParseWithPrefix(absl::string_view unit, const Prefix& prefix, bool iec) {
  if (!absl::ConsumePrefix(&unit, prefix.text)) return std::nullopt;
  for (const KnownUnit& known : kKnownUnits) {
    if (unit != known.written) continue;
    // A size written with an SI prefix (GB) keeps SI, a rate written with IEC (GiB/s) keeps IEC.
    const bool keeps_own = prefix.text.empty() || known.prefixes == Prefixes::kSiSmall;
    return Parsed{known.shown, keeps_own ? known.prefixes : (iec ? Prefixes::kIec : Prefixes::kSi), prefix.factor};
  }
  return std::nullopt;
}

std::optional<Parsed> Parse(absl::string_view unit) {
  for (const Prefix& prefix : kIec) {
    if (auto parsed = ParseWithPrefix(unit, prefix, true)) return parsed;
  }
  for (const Prefix& prefix : kSi) {
    if (auto parsed = ParseWithPrefix(unit, prefix, false)) return parsed;
  }
  for (const Prefix& prefix : kMicro) {
    if (auto parsed = ParseWithPrefix(unit, prefix, false)) return parsed;
  }
  return std::nullopt;
}

// Three significant digits, never an exponent below 10^15: "4.37", "55.5", "776", "1024".
std::string ThreeDigits(double value) {
  const double size = std::abs(value);
  if (size >= 1e15) return absl::StrFormat("%.3g", value);
  const int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
  return absl::StrFormat("%.*f", decimals, value);
}

// With the largest prefix whose factor times `reach` the value has, and that is no larger than `largest`.
template <size_t N>
std::string Scaled(double value, absl::string_view unit, const std::array<Prefix, N>& prefixes, double reach,
                   double largest) {
  const Prefix* chosen = &prefixes.front();
  for (const Prefix& prefix : prefixes) {
    if (prefix.factor <= largest && std::abs(value) >= prefix.factor * reach) chosen = &prefix;
  }
  return absl::StrCat(ThreeDigits(value / chosen->factor), " ", chosen->text, unit);
}

// Of a unit without prefixes: whole numbers in full, others to four digits.
std::string Bare(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return absl::StrFormat("%.0f", value);
  return absl::StrFormat("%.4g", value);
}

}  // namespace

std::string FormatQuantity(double value, absl::string_view unit) {
  if (unit.size() > 64) unit = unit.substr(0, 64);
  if (!std::isfinite(value))
    return absl::StrCat(std::isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf", unit.empty() ? "" : " ", unit);
  if (unit.empty() || unit == "1") return Bare(value);
  if (unit == "Cel" || unit == "degC" || unit == "C") unit = "°C";
  if (unit == "percent") unit = "%";
  if (unit == "%" || unit == "°C")
    return absl::StrCat(value == std::floor(value) ? Bare(value) : absl::StrFormat("%.1f", value), " ", unit);
  if (unit.size() > 2 && unit.front() == '{' && unit.back() == '}') unit = unit.substr(1, unit.size() - 2);
  const std::optional<Parsed> parsed = Parse(unit);
  if (!parsed.has_value()) return absl::StrCat(Bare(value), " ", unit);
  value *= parsed->factor;
  if (value == 0) return absl::StrCat("0 ", parsed->shown);
  if (parsed->prefixes != Prefixes::kIec) {
    // 999.6 rounds to 1000, which the next prefix says better.
    return Scaled(value, parsed->shown, kSi, 0.9995, parsed->prefixes == Prefixes::kSi ? 1e18 : 1);
  }
  // Less than a KiB: whole bytes.
  if (std::abs(value) < 1024) return absl::StrCat(Bare(value), " ", parsed->shown);
  return Scaled(value, parsed->shown, kIec, 1, 2e18);
}

std::string FormatDuration(int64_t milliseconds) {
  if (milliseconds < 0) return absl::StrCat("-", FormatDuration(milliseconds == INT64_MIN ? INT64_MAX : -milliseconds));
  if (milliseconds < 1000) return absl::StrCat(milliseconds, " ms");
  if (milliseconds < 59'950) return absl::StrFormat("%.1f s", static_cast<double>(milliseconds) / 1000);
  const int64_t seconds = milliseconds / 1000 + (milliseconds % 1000 >= 500 ? 1 : 0);
  const int64_t minutes = seconds / 60;
  if (minutes < 60) return absl::StrFormat("%d min %02d s", minutes, seconds % 60);
  if (minutes < 24 * 60) return absl::StrFormat("%d h %02d min", minutes / 60, minutes % 60);
  return absl::StrFormat("%d d %02d h", minutes / (24 * 60), minutes / 60 % 24);
}

std::string FormatClock(int64_t milliseconds) {
  const int64_t seconds = std::max<int64_t>(milliseconds, 0) / 1000;
  if (seconds < 3600) return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
  return absl::StrFormat("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string FormatBytes(uint64_t bytes) { return FormatQuantity(static_cast<double>(bytes), "B"); }

}  // namespace muster::base
