// How far and how fast a device warms under a step of power: the fit behind power.thermal_resistance. Pure arithmetic.
#ifndef MUSTER_SUITES_BENCHMARK_THERMAL_FIT_H_
#define MUSTER_SUITES_BENCHMARK_THERMAL_FIT_H_

#include <optional>
#include <vector>

namespace muster::benchmark {

struct ThermalPoint {
  double seconds = 0;  // From the step on.
  double celsius = 0;
};

// T(t) = start + rise (1 - exp(-t / time_constant)), by least squares.
struct ThermalFit {
  double start_celsius = 0;
  double rise_kelvin = 0;
  double time_constant_seconds = 0;
  // The range of rises among all curves that the points do not rule out: those whose sum of squares is at most that of
  // the best and four times the variance of a point (two standard deviations). A point's deviation is the residuals',
  // and no less than a sensor of whole degrees has.
  double lowest_rise = 0;
  double highest_rise = 0;
  // The longest time constant that was tried is within that range: the window is too short to know the end.
  bool open_ended = false;
};

// Points closer together than `spacing_seconds` count as one. Nothing of fewer than 8.
std::optional<ThermalFit> FitThermalStep(const std::vector<ThermalPoint>& points, double spacing_seconds = 0.25);

}  // namespace muster::benchmark

#endif  // MUSTER_SUITES_BENCHMARK_THERMAL_FIT_H_
