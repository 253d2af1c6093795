#include "tests/hardware_sim/curve.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace muster::sim {
namespace {

using Points = google::protobuf::RepeatedPtrField<Curve::Point>;

double OnLine(const Curve::Point& from, const Curve::Point& to, double at_s) {
  return from.value() + (to.value() - from.value()) * (at_s - from.at_s()) / (to.at_s() - from.at_s());
}

// The first point after `at_s`.
int After(const Points& points, double at_s) {
  const auto after = std::upper_bound(points.begin(), points.end(), at_s,
                                      [](double at, const Curve::Point& point) { return at < point.at_s(); });
  return static_cast<int>(after - points.begin());
}

double ValueOfPoints(const Points& points, double at_s) {
  const int next = After(points, at_s);
  if (next == 0) return points[0].value();
  if (next == points.size()) return points[next - 1].value();
  return OnLine(points[next - 1], points[next], at_s);
}

double IntegralOfPoints(const Points& points, double until_s) {
  double sum = points[0].value() * std::min(until_s, points[0].at_s());
  for (int i = 0; i < points.size() && points[i].at_s() < until_s; ++i) {
    const bool last = i + 1 == points.size();
    const double end = last ? until_s : std::min(until_s, points[i + 1].at_s());
    const double value = last ? points[i].value() : OnLine(points[i], points[i + 1], end);
    sum += (points[i].value() + value) / 2 * (end - points[i].at_s());
  }
  return sum;
}

double Angle(const Curve::Wave& wave, double at_s) { return 2 * std::numbers::pi * at_s / wave.period_s(); }

}  // namespace

double ValueAt(const Curve& curve, double at_s) {
  at_s = std::max(at_s, 0.0);
  if (curve.has_constant()) return curve.constant();
  if (curve.has_wave()) return curve.wave().mean() + curve.wave().amplitude() * std::sin(Angle(curve.wave(), at_s));
  return curve.points().empty() ? 0 : ValueOfPoints(curve.points(), at_s);
}

double Integral(const Curve& curve, double until_s) {
  if (until_s <= 0) return 0;
  if (curve.has_constant()) return curve.constant() * until_s;
  if (curve.has_wave()) {
    const Curve::Wave& wave = curve.wave();
    const double turned = (1 - std::cos(Angle(wave, until_s))) / (2 * std::numbers::pi) * wave.period_s();
    return wave.mean() * until_s + wave.amplitude() * turned;
  }
  return curve.points().empty() ? 0 : IntegralOfPoints(curve.points(), until_s);
}

Range RangeOf(const Curve& curve) {
  if (curve.has_constant()) return {curve.constant(), curve.constant()};
  if (curve.has_wave()) {
    const double swing = std::abs(curve.wave().amplitude());
    return {curve.wave().mean() - swing, curve.wave().mean() + swing};
  }
  if (curve.points().empty()) return {};
  const auto [low, high] =
      std::minmax_element(curve.points().begin(), curve.points().end(),
                          [](const Curve::Point& a, const Curve::Point& b) { return a.value() < b.value(); });
  return {low->value(), high->value()};
}

double FactorAt(const Steps& steps, double at_s) {
  double factor = 1;
  for (const Step& step : steps) {
    if (step.at_s > at_s) break;
    factor = step.factor;
  }
  return factor;
}

double Integral(const Curve& curve, const Steps& steps, double until_s) {
  double sum = 0;
  double from = 0;
  double factor = 1;
  double before = 0;  // Integral up to `from`.
  for (const Step& step : steps) {
    if (step.at_s >= until_s) break;
    const double here = Integral(curve, step.at_s);
    sum += factor * (here - before);
    before = here;
    from = step.at_s;
    factor = step.factor;
  }
  if (until_s > from) sum += factor * (Integral(curve, until_s) - before);
  return sum;
}

Steps Multiply(const Steps& left, const Steps& right) {
  Steps product;
  for (const Steps* steps : {&left, &right}) {
    for (const Step& step : *steps) product.push_back({step.at_s, 1});
  }
  std::sort(product.begin(), product.end(), [](const Step& a, const Step& b) { return a.at_s < b.at_s; });
  for (Step& step : product) step.factor = FactorAt(left, step.at_s) * FactorAt(right, step.at_s);
  return product;
}

}  // namespace muster::sim
