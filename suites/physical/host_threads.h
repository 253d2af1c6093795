// Work of the host on all its processors.
#ifndef MUSTER_SUITES_PHYSICAL_HOST_THREADS_H_
#define MUSTER_SUITES_PHYSICAL_HOST_THREADS_H_

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

namespace muster::physical {

// `work(item)` for each item below `items`, spread over as many threads as there are processors, at most `most_threads`
// and at most 16; the calling thread is one of them. Returns when all is done. `work` must not throw.
template <typename Work>
void OnHostThreads(uint64_t items, const Work& work, uint64_t most_threads = 16) {
  const uint64_t processors = std::max(1u, std::thread::hardware_concurrency());
  const uint64_t threads = std::min<uint64_t>({items, most_threads, 16, processors});
  const auto share = [&](uint64_t first) {
    for (uint64_t item = first; item < items; item += threads) work(item);
  };
  if (threads == 0) return;
  std::vector<std::jthread> others;
  for (uint64_t thread = 1; thread < threads; ++thread) others.emplace_back(share, thread);
  share(0);
}

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_HOST_THREADS_H_
