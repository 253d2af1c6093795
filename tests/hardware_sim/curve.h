// A value over time, and what it adds up to: both exact, so that a counter is the same whoever asks for it, and when.
#ifndef MUSTER_TESTS_HARDWARE_SIM_CURVE_H_
#define MUSTER_TESTS_HARDWARE_SIM_CURVE_H_

#include <vector>

#include "tests/hardware_sim/scenario.pb.h"

namespace muster::sim {

// Zero for an empty curve. A curve begins at 0: before that it has the value that it has there.
double ValueAt(const Curve& curve, double at_s);

// The integral from 0 to `until_s`; 0 for a time before the start.
double Integral(const Curve& curve, double until_s);

// Lowest and highest value that the curve takes.
struct Range {
  double low = 0;
  double high = 0;
};
Range RangeOf(const Curve& curve);

// A factor that stays the same between certain times: from at_s on, until the next step. Ordered; 1 before the first.
struct Step {
  double at_s = 0;
  double factor = 1;
};
using Steps = std::vector<Step>;

double FactorAt(const Steps& steps, double at_s);
// The integral of curve × steps from 0 to `until_s`.
double Integral(const Curve& curve, const Steps& steps, double until_s);

// The product of both at every time.
Steps Multiply(const Steps& left, const Steps& right);

}  // namespace muster::sim

#endif  // MUSTER_TESTS_HARDWARE_SIM_CURVE_H_
