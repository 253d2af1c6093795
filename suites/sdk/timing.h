// How long repeated work takes, and what stands for many repeats.
#ifndef MUSTER_SUITES_SDK_TIMING_H_
#define MUSTER_SUITES_SDK_TIMING_H_

#include <functional>
#include <vector>

namespace muster::sdk {

struct Timing {
  double median_seconds = 0;
  double shortest_seconds = 0;
  double longest_seconds = 0;
};

// Of an odd or even number of values; 0 of none.
double Median(std::vector<double> values);
// `seconds` of single repeats, at least one.
Timing Summarize(const std::vector<double>& seconds);

// Does `work` `warm_ups` times untimed and then `repeats` times by the host's clock; `work` waits for its own end.
Timing TimeOnHost(int warm_ups, int repeats, const std::function<void()>& work);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_TIMING_H_
