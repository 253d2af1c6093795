#include "cli/palette.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace muster::cli {
namespace {

struct Face {
  v1::Verdict verdict;
  absl::string_view symbol;
  absl::string_view ascii;
  Style style;
};
constexpr std::array kFaces = std::to_array<Face>({
    {v1::PASSED, "✓", "+", Style::kGood},
    {v1::FAILED, "✗", "x", Style::kBad},
    {v1::SKIPPED, "–", "-", Style::kDim},
    {v1::ERROR, "!", "!", Style::kBad},
    {v1::CRASHED, "✗", "x", Style::kBad},
    {v1::TIMED_OUT, "✗", "x", Style::kBad},
    {v1::CANCELLED, "■", "#", Style::kBad},
    {v1::MISSED, "?", "?", Style::kBad},
    {v1::VACUOUS, "○", "o", Style::kBad},
    {v1::KNOWN_ISSUE, "≈", "~", Style::kWarning},
    {v1::FIXED, "↑", "^", Style::kWarning},
    {v1::FLAKY, "±", "%", Style::kWarning},
});
constexpr Face kUnknown = {v1::VERDICT_UNSPECIFIED, "?", "?", Style::kBad};

const Face& FaceOf(v1::Verdict verdict) {
  const auto* it = std::find_if(kFaces.begin(), kFaces.end(), [&](const Face& f) { return f.verdict == verdict; });
  return it == kFaces.end() ? kUnknown : *it;
}

absl::string_view Code(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kBold:
      return "1";
    case Style::kDim:
      return "2";
    case Style::kGood:
      return "32";
    case Style::kBad:
      return "1;31";
    case Style::kWarning:
      return "33";
    case Style::kAccent:
      return "36";
  }
  return "";
}

}  // namespace

std::string Palette::Paint(Style style, absl::string_view text) const {
  const absl::string_view code = Code(style);
  if (!colour || code.empty() || text.empty()) return std::string(text);
  return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
}

absl::string_view Palette::Symbol(v1::Verdict verdict) const {
  const Face& face = FaceOf(verdict);
  return unicode ? face.symbol : face.ascii;
}

std::string Palette::Bar(double share, size_t width) const {
  share = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0;
  const auto full = static_cast<size_t>(std::floor(share * static_cast<double>(width)));
  std::string bar;
  for (size_t i = 0; i < width; ++i) bar += unicode ? (i < full ? "█" : "░") : (i < full ? "#" : ".");
  return bar;
}

std::string VerdictName(v1::Verdict verdict) {
  const std::string& name = v1::Verdict_Name(verdict);
  return name.empty() ? absl::StrCat("VERDICT_", static_cast<int>(verdict)) : name;
}

Style VerdictStyle(v1::Verdict verdict) { return FaceOf(verdict).style; }

bool IsGood(v1::Verdict verdict) {
  return verdict == v1::PASSED || verdict == v1::SKIPPED || verdict == v1::KNOWN_ISSUE || IsAmber(verdict);
}

bool IsAmber(v1::Verdict verdict) { return verdict == v1::FIXED || verdict == v1::FLAKY; }

std::string ColourName(v1::RunColour colour) {
  if (colour == v1::RUN_COLOUR_UNSPECIFIED) return "";
  const std::string& name = v1::RunColour_Name(colour);
  return name.empty() ? absl::StrCat("COLOUR_", static_cast<int>(colour)) : name;
}

Style ColourStyle(v1::RunColour colour) {
  switch (colour) {
    case v1::GREEN:
      return Style::kGood;
    case v1::AMBER:
      return Style::kWarning;
    case v1::RUN_COLOUR_UNSPECIFIED:
      return Style::kPlain;
    default:
      return Style::kBad;
  }
}

}  // namespace muster::cli
