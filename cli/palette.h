// Colours and symbols. A colour never says anything alone: a word or a symbol always says it too.
#ifndef MUSTER_CLI_PALETTE_H_
#define MUSTER_CLI_PALETTE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "muster/v1/run.pb.h"

namespace muster::cli {

enum class Style { kPlain, kBold, kDim, kGood, kBad, kWarning, kAccent };

// How the output may look. Plain values; copied freely.
struct Palette {
  bool colour = false;
  // Symbols beyond ASCII may be used (the locale is UTF-8).
  bool unicode = true;

  // `text` in `style`; unchanged without colour.
  std::string Paint(Style style, absl::string_view text) const;

  absl::string_view Symbol(v1::Verdict verdict) const;
  // A bar of exactly `width` columns, `share` (0 to 1) of it full.
  std::string Bar(double share, size_t width) const;
  absl::string_view Dot() const { return unicode ? "·" : "-"; }
};

// "PASSED"; a verdict of a newer release is "VERDICT_17".
std::string VerdictName(v1::Verdict verdict);
Style VerdictStyle(v1::Verdict verdict);
// Whether a run with this verdict can still be green or amber.
bool IsGood(v1::Verdict verdict);
bool IsAmber(v1::Verdict verdict);
// "GREEN"; empty while the run goes on.
std::string ColourName(v1::RunColour colour);
Style ColourStyle(v1::RunColour colour);

}  // namespace muster::cli

#endif  // MUSTER_CLI_PALETTE_H_
