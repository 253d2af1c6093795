#include "suites/sdk/cuda/timing.h"

#include <vector>

namespace muster::sdk::cuda {

Timing TimeOnDevice(const Stream& stream, int warm_ups, int repeats, const std::function<void()>& work) {
  for (int i = 0; i < warm_ups; ++i) work();
  std::vector<Event> marks(static_cast<size_t>(repeats) + 1);
  marks[0].Record(stream);
  for (int i = 1; i <= repeats; ++i) {
    work();
    marks[i].Record(stream);
  }
  stream.Wait();
  std::vector<double> seconds;
  for (int i = 1; i <= repeats; ++i) {
    float milliseconds = 0;
    CUDA_CHECK(cudaEventElapsedTime(&milliseconds, marks[i - 1].get(), marks[i].get()));
    seconds.push_back(milliseconds * 1e-3);
  }
  return Summarize(seconds);
}

}  // namespace muster::sdk::cuda
