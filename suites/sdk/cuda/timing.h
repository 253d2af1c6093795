// How long work on a stream takes, by the device's own clock.
#ifndef MUSTER_SUITES_SDK_CUDA_TIMING_H_
#define MUSTER_SUITES_SDK_CUDA_TIMING_H_

#include <functional>

#include "suites/sdk/cuda/memory.h"
#include "suites/sdk/timing.h"

namespace muster::sdk::cuda {

// Queues `work` `warm_ups` times untimed and then `repeats` times, each between two events, back to back, and waits.
// `work` only queues onto the stream.
Timing TimeOnDevice(const Stream& stream, int warm_ups, int repeats, const std::function<void()>& work);

}  // namespace muster::sdk::cuda

#endif  // MUSTER_SUITES_SDK_CUDA_TIMING_H_
