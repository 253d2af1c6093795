#include "suites/benchmark/thermal_fit.h"

#include <algorithm>
#include <cmath>

namespace muster::benchmark {
namespace {

constexpr size_t kFewestPoints = 8;
constexpr double kShortestConstant = 0.2;
constexpr double kConstantsOverWindow = 3;  // The longest that is tried.
constexpr double kStep = 1.03;
constexpr double kDeviations = 2;
// Of a number rounded to whole degrees: 1 / sqrt(12).
constexpr double kRoundingKelvin = 0.2887;

struct Line {
  double start = 0;
  double rise = 0;
  double squares = 0;
  // Of `rise`, for points of variance 1.
  double variance = 0;
};

// Linear in start and rise, for a given time constant.
Line FitLine(const std::vector<ThermalPoint>& points, double constant) {
  const auto n = static_cast<double>(points.size());
  double sum_x = 0;
  double sum_y = 0;
  for (const ThermalPoint& point : points) {
    sum_x += 1 - std::exp(-point.seconds / constant);
    sum_y += point.celsius;
  }
  double xx = 0;
  double xy = 0;
  for (const ThermalPoint& point : points) {
    const double x = 1 - std::exp(-point.seconds / constant) - sum_x / n;
    xx += x * x;
    xy += x * (point.celsius - sum_y / n);
  }
  if (xx <= 0) return {.start = sum_y / n, .squares = HUGE_VAL};
  Line line = {.rise = xy / xx, .variance = 1 / xx};
  line.start = (sum_y - line.rise * sum_x) / n;
  for (const ThermalPoint& point : points) {
    const double miss = point.celsius - line.start - line.rise * (1 - std::exp(-point.seconds / constant));
    line.squares += miss * miss;
  }
  return line;
}

std::vector<ThermalPoint> Thinned(const std::vector<ThermalPoint>& points, double spacing) {
  std::vector<ThermalPoint> kept;
  for (const ThermalPoint& point : points) {
    if (kept.empty() || point.seconds >= kept.back().seconds + spacing) kept.push_back(point);
  }
  return kept;
}

}  // namespace

std::optional<ThermalFit> FitThermalStep(const std::vector<ThermalPoint>& all, double spacing_seconds) {
  const std::vector<ThermalPoint> points = Thinned(all, spacing_seconds);
  if (points.size() < kFewestPoints) return std::nullopt;
  const double longest = kConstantsOverWindow * points.back().seconds;
  ThermalFit fit;
  double least = HUGE_VAL;
  for (double constant = kShortestConstant; constant <= longest; constant *= kStep) {
    const Line line = FitLine(points, constant);
    if (line.squares >= least) continue;
    least = line.squares;
    fit.start_celsius = line.start;
    fit.rise_kelvin = line.rise;
    fit.time_constant_seconds = constant;
  }
  if (!std::isfinite(least)) return std::nullopt;
  const double variance = std::max(least / static_cast<double>(points.size() - 3), kRoundingKelvin * kRoundingKelvin);
  fit.lowest_rise = fit.highest_rise = fit.rise_kelvin;
  for (double constant = kShortestConstant; constant <= longest; constant *= kStep) {
    const Line line = FitLine(points, constant);
    const double left = least + kDeviations * kDeviations * variance - line.squares;
    if (left < 0) continue;
    // At this constant the rise may still move by so much.
    const double aside = std::sqrt(left * line.variance);
    fit.lowest_rise = std::min(fit.lowest_rise, line.rise - aside);
    fit.highest_rise = std::max(fit.highest_rise, line.rise + aside);
    fit.open_ended = constant * kStep > longest;
  }
  return fit;
}

}  // namespace muster::benchmark
