#include "suites/benchmark/thermal_fit.h"

#include <gtest/gtest.h>

#include <cmath>

namespace muster::benchmark {
namespace {

// Whole degrees, as sensors give them.
std::vector<ThermalPoint> Curve(double start, double rise, double constant, double seconds) {
  std::vector<ThermalPoint> points;
  for (double t = 0; t <= seconds; t += 0.02) {
    points.push_back({t, std::round(start + rise * (1 - std::exp(-t / constant)))});
  }
  return points;
}

TEST(ThermalFit, FindsTheCurveAndKnowsHowWell) {
  const auto fit = FitThermalStep(Curve(34, 30, 6, 25));
  ASSERT_TRUE(fit.has_value());
  EXPECT_NEAR(fit->rise_kelvin, 30, 0.7);
  EXPECT_NEAR(fit->time_constant_seconds, 6, 0.5);
  EXPECT_NEAR(fit->start_celsius, 34, 0.7);
  EXPECT_LE(fit->lowest_rise, 30);
  EXPECT_GE(fit->highest_rise, 30);
  EXPECT_LT(fit->highest_rise - fit->lowest_rise, 2);
  EXPECT_FALSE(fit->open_ended);
}

TEST(ThermalFit, AWindowThatIsTooShortSaysSo) {
  const auto fit = FitThermalStep(Curve(34, 30, 200, 20));
  ASSERT_TRUE(fit.has_value());
  EXPECT_TRUE(fit->open_ended);
  EXPECT_GT(fit->highest_rise - fit->lowest_rise, 1);
}

TEST(ThermalFit, ADeviceThatDoesNotWarmRisesByNothing) {
  const auto fit = FitThermalStep(Curve(34, 0, 6, 25));
  ASSERT_TRUE(fit.has_value());
  EXPECT_NEAR(fit->rise_kelvin, 0, 0.01);
}

TEST(ThermalFit, FewPointsAreNone) { EXPECT_FALSE(FitThermalStep(Curve(34, 30, 6, 1)).has_value()); }

}  // namespace
}  // namespace muster::benchmark
