#include "suites/physical/algorithm_trials.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "suites/sdk/timing.h"

namespace muster::physical {
namespace {

// The first run also loads the algorithm's code.
constexpr int kSingleRuns = 3;
constexpr size_t kLikely = 3;
constexpr int kTurns = 3;
constexpr double kTurnSeconds = 0.01;

struct Candidate {
  size_t algorithm = 0;
  double seconds = 0;  // Of its fastest single run.
  std::vector<double> turns = {};
};

std::optional<Candidate> TimeSingly(size_t algorithm, int runs, const AlgorithmSeconds& seconds_of) {
  Candidate candidate = {.algorithm = algorithm, .seconds = HUGE_VAL};
  for (int run = 0; run < runs; ++run) {
    const std::optional<double> seconds = seconds_of(algorithm, 1);
    if (!seconds.has_value()) return std::nullopt;
    candidate.seconds = std::min(candidate.seconds, *seconds);
  }
  return candidate;
}

void TakeTurn(Candidate& candidate, const AlgorithmSeconds& seconds_of) {
  const double runs = std::ceil(kTurnSeconds / std::max(candidate.seconds, 1e-6));
  const std::optional<double> seconds = seconds_of(candidate.algorithm, static_cast<uint64_t>(std::max(runs, 1.0)));
  candidate.turns.push_back(seconds.has_value() ? *seconds / std::max(runs, 1.0) : HUGE_VAL);
}

}  // namespace

std::optional<size_t> FastestAlgorithm(size_t algorithms, const AlgorithmSeconds& seconds_of) {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < algorithms; ++i) {
    const auto candidate = TimeSingly(i, algorithms == 1 ? 1 : kSingleRuns, seconds_of);
    if (candidate.has_value()) candidates.push_back(*candidate);
  }
  if (candidates.empty()) return std::nullopt;
  std::ranges::stable_sort(candidates, {}, &Candidate::seconds);
  if (candidates.size() == 1) return candidates.front().algorithm;
  candidates.resize(std::min(candidates.size(), kLikely));
  for (int turn = 0; turn < kTurns; ++turn) {
    for (Candidate& candidate : candidates) TakeTurn(candidate, seconds_of);
  }
  return std::ranges::min_element(candidates, {}, [](const Candidate& each) { return sdk::Median(each.turns); })
      ->algorithm;
}

}  // namespace muster::physical
