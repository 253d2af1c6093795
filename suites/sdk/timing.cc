#include "suites/sdk/timing.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace muster::sdk {

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

Timing Summarize(const std::vector<double>& seconds) {
  const auto [shortest, longest] = std::minmax_element(seconds.begin(), seconds.end());
  return {.median_seconds = Median(seconds), .shortest_seconds = *shortest, .longest_seconds = *longest};
}

Timing TimeOnHost(int warm_ups, int repeats, const std::function<void()>& work) {
  for (int i = 0; i < warm_ups; ++i) work();
  std::vector<double> seconds;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return Summarize(seconds);
}

}  // namespace muster::sdk
