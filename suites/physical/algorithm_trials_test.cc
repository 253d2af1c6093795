#include "suites/physical/algorithm_trials.h"

#include <gtest/gtest.h>

#include <vector>

namespace muster::physical {
namespace {

TEST(AlgorithmTrials, OfOneThereIsOneRun) {
  int calls = 0;
  const auto found = FastestAlgorithm(1, [&](size_t, uint64_t runs) {
    EXPECT_EQ(runs, 1u);
    ++calls;
    return std::optional<double>(0.02);
  });
  EXPECT_EQ(found, 0u);
  EXPECT_EQ(calls, 1);
}

// What single runs say is overruled by runs back to back, of the three likely ones alone.
TEST(AlgorithmTrials, TheLikelyThreeAreTimedBackToBack) {
  const std::vector<double> single = {9e-3, 1.0e-3, 1.2e-3, 1.1e-3, 8e-3};
  const std::vector<double> sustained = {1e-4, 2.0e-3, 1.3e-3, 1.4e-3, 1e-4};
  std::vector<uint64_t> again(5, 0);
  const auto found = FastestAlgorithm(5, [&](size_t algorithm, uint64_t runs) {
    if (runs == 1) return std::optional<double>(single[algorithm]);
    again[algorithm] += runs;
    return std::optional<double>(sustained[algorithm] * static_cast<double>(runs));
  });
  EXPECT_EQ(found, 2u);
  EXPECT_EQ(again, (std::vector<uint64_t>{0, 30, 27, 30, 0}));
}

// One turn that was disturbed does not decide.
TEST(AlgorithmTrials, ADisturbedTurnDoesNotDecide) {
  int turns = 0;
  const auto found = FastestAlgorithm(2, [&](size_t algorithm, uint64_t runs) {
    const double seconds = algorithm == 0 ? 1e-3 : 1.1e-3;
    const bool disturbed = runs > 1 && algorithm == 0 && turns++ == 1;
    return std::optional<double>(seconds * static_cast<double>(runs) * (disturbed ? 5 : 1));
  });
  EXPECT_EQ(found, 0u);
}

TEST(AlgorithmTrials, TheRefusedAreLeftOut) {
  const auto refuse_below = [](size_t first) {
    return [first](size_t algorithm, uint64_t runs) {
      return algorithm < first ? std::nullopt : std::optional<double>(1e-3 * static_cast<double>(runs));
    };
  };
  EXPECT_EQ(FastestAlgorithm(3, refuse_below(2)), 2u);
  EXPECT_EQ(FastestAlgorithm(3, refuse_below(3)), std::nullopt);
  EXPECT_EQ(FastestAlgorithm(0, refuse_below(0)), std::nullopt);
}

}  // namespace
}  // namespace muster::physical
