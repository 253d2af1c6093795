#include "suites/physical/unit_verdict.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace muster::physical {
namespace {

bool Failed(const UnitTally& tally) { return tally.wrong_groups != 0 || tally.retests_failed != 0; }

const char* Kind(const UnitTally& tally) {
  if (tally.retests_failed == 0) return "once, not again";
  return tally.retests_failed == tally.retests ? "permanent" : "intermittent";
}

}  // namespace

std::vector<std::string> UnitVerdicts(const UnitTallies& tallies, bool names_units) {
  size_t failed = 0;
  // Of the units that never failed.
  uint64_t others = 0;
  for (const auto& [unit, tally] : tallies) {
    if (Failed(tally)) ++failed;
    if (!Failed(tally)) others += tally.retests;
  }
  if (failed == 0) return {};
  if (!names_units) {
    const UnitTally& all = tallies.begin()->second;
    return {absl::StrCat(Kind(all), ": ", all.retests_failed, " of ", all.retests, " launches fail again, ",
                         all.wrong_groups, " of ", all.groups, " groups failed; the device does not name its units")};
  }
  if (failed == tallies.size() && failed > 1) {
    return {absl::StrCat("every unit fails (", failed, " of ", failed,
                         "): the expectation, the kernel, its compiler or what all units share is at fault")};
  }
  std::vector<std::string> verdicts;
  for (const auto& [unit, tally] : tallies) {
    if (!Failed(tally)) continue;
    verdicts.push_back(absl::StrCat(Kind(tally), ": unit ", unit, " fails ", tally.retests_failed, " of ",
                                    tally.retests, ", others 0 of ", others));
  }
  return verdicts;
}

std::vector<UnitPace> UnitPaces(const UnitTallies& tallies) {
  if (tallies.size() < 3) return {};
  std::vector<uint64_t> counts;
  for (const auto& [unit, tally] : tallies) counts.push_back(tally.groups);
  const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2);
  std::nth_element(counts.begin(), middle, counts.end());
  if (*middle < 32) return {};
  std::vector<UnitPace> paces;
  for (const auto& [unit, tally] : tallies) {
    paces.push_back({unit, static_cast<double>(tally.groups) / static_cast<double>(*middle)});
  }
  std::sort(paces.begin(), paces.end(), [](const UnitPace& a, const UnitPace& b) { return a.share < b.share; });
  return paces;
}

}  // namespace muster::physical
