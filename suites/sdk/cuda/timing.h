// How long work on a stream takes, by the device's own clock.
#ifndef MUSTER_SUITES_SDK_CUDA_TIMING_H_
#define MUSTER_SUITES_SDK_CUDA_TIMING_H_

#include <functional>
#include <vector>

#include "suites/sdk/cuda/memory.h"

namespace muster::sdk::cuda {

struct Timing {
  double median_seconds = 0;
  double shortest_seconds = 0;
  double longest_seconds = 0;
};

// Of an odd or even number of values; 0 of none.
double Median(std::vector<double> values);
// `seconds` of single repeats, at least one.
Timing Summarize(const std::vector<double>& seconds);

// Queues `work` `warm_ups` times untimed and then `repeats` times, each between two events, back to back, and waits.
// `work` only queues onto the stream.
Timing TimeOnDevice(const Stream& stream, int warm_ups, int repeats, const std::function<void()>& work);

// The same by the host's clock, for work that waits for its own end.
Timing TimeOnHost(int warm_ups, int repeats, const std::function<void()>& work);

}  // namespace muster::sdk::cuda

#endif  // MUSTER_SUITES_SDK_CUDA_TIMING_H_
