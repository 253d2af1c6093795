#include "suites/physical/pointer_chase.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/stream.kernels.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/timing.h"

namespace muster::physical {
namespace {

constexpr uint64_t kLineBytes = CHASE_STRIDE * sizeof(u32);
constexpr uint32_t kGroupSize = 256;
constexpr uint64_t kL1RingBytes = 16 << 10;
constexpr uint64_t kL2RingBytes = 8 << 20;
// For devices that do not say how large their last cache is.
constexpr uint64_t kUnknownCacheBytes = 64 << 20;
constexpr uint64_t kSeed = 0x6368617365;

// One cycle through all links: S. Sattolo, "An algorithm to generate a random cyclic permutation", Information
// Processing Letters 22 (1986).
std::vector<u32> RandomCycle(uint64_t links) {
  std::vector<u32> next(links);
  std::iota(next.begin(), next.end(), 0u);
  std::mt19937_64 random(kSeed);
  // A random number below i, without the division.
  const auto below = [&](uint64_t i) { return ((random() >> 32) * i) >> 32; };
  for (uint64_t i = links - 1; i > 0; --i) std::swap(next[i], next[below(i)]);
  return next;
}

class Ring {
 public:
  Ring(ComputeDevice& device, const ChaseOptions& options)
      : device_(device), options_(options), next_(RandomCycle(options.ring_bytes / kLineBytes)), end_(device, 8) {
    if (options.in_host_memory) {
      on_host_ = std::make_unique<PinnedMemory>(device, options.ring_bytes);
      ring_ = on_host_->data();
    } else {
      on_device_ = std::make_unique<DeviceMemory>(options.at == nullptr ? device : *options.at, options.ring_bytes);
      ring_ = on_device_->data();
    }
    Fill();
  }

  // Seconds; where the chase ended goes to `end`.
  double Follow(uint64_t start, uint64_t steps, uint64_t* end) {
    const ChaseArguments arguments = {.steps = steps, .start = static_cast<u32>(start)};
    const double seconds = device_.Seconds([&] {
      device_.Launch({.kernel = "chase",
                      .buffers = {ring_, end_.data()},
                      .arguments = &arguments,
                      .arguments_size = sizeof(arguments)});
    });
    device_.ReadBack(end, end_.data(), sizeof(*end));
    return seconds;
  }

  uint64_t EndOf(uint64_t start, uint64_t steps) const {
    for (uint64_t i = 0; i < steps; ++i) start = next_[start];
    return start;
  }

  // Which link in memory is wrong, if any.
  std::string LookAtLinks() {
    std::vector<u32> words(options_.ring_bytes / sizeof(u32));
    device_.ReadBack(words.data(), ring_, options_.ring_bytes);
    for (uint64_t i = 0; i < next_.size(); ++i) {
      const u32 found = words[CHASE_STRIDE * i];
      if (found == CHASE_STRIDE * next_[i]) continue;
      return absl::StrCat("link ", i, " at offset 0x", absl::Hex(i * kLineBytes), " leads to ", found / CHASE_STRIDE,
                          ", expected ", next_[i]);
    }
    return "the links in memory are right: a load brought something else";
  }

 private:
  void Fill() {
    std::vector<u32> written = next_;
    if (options_.broken_link) {
      if (*options_.broken_link >= written.size()) throw sdk::ToolError("inject_chase: the ring has not so many links");
      written[*options_.broken_link] = 0;
    }
    const uint64_t bytes = written.size() * sizeof(u32);
    const DeviceMemory next(device_, bytes);
    device_.Copy(next.data(), written.data(), bytes);
    const StreamArguments arguments = {.vectors = written.size()};
    device_.Launch({.kernel = "chase_fill",
                    .groups = (written.size() + kGroupSize - 1) / kGroupSize,
                    .group_size = kGroupSize,
                    .buffers = {ring_, next.data()},
                    .arguments = &arguments,
                    .arguments_size = sizeof(arguments)});
    device_.Wait();
  }

  ComputeDevice& device_;
  const ChaseOptions options_;
  const std::vector<u32> next_;
  DeviceMemory end_;
  std::unique_ptr<DeviceMemory> on_device_;
  std::unique_ptr<PinnedMemory> on_host_;
  void* ring_ = nullptr;
};

uint64_t LastCache(const DeviceTraits& traits) {
  return traits.last_cache_bytes == 0 ? kUnknownCacheBytes : traits.last_cache_bytes;
}

}  // namespace

ChaseReport Chase(ComputeDevice& device, const ChaseOptions& options) {
  Ring ring(device, options);
  ChaseReport report;
  uint64_t at = 0;
  const auto follow = [&](uint64_t steps) {
    uint64_t end = 0;
    const double seconds = ring.Follow(at, steps, &end);
    const uint64_t expected = ring.EndOf(at, steps);
    report.steps += steps;
    if (end != expected && report.problem.empty()) {
      report.problem = absl::StrCat("after ", steps, " steps from link ", at, " expected to be at link ", expected,
                                    ", found ", end, ": ", ring.LookAtLinks());
    }
    at = expected;
    return seconds;
  };
  if (options.cold) {
    const DeviceMemory other(device, 2 * LastCache(device.Traits()));
    device.Zero(other.data(), other.bytes());
    device.Wait();
  } else {
    follow(options.ring_bytes / kLineBytes);
  }
  std::vector<double> seconds;
  for (int i = 0; i < options.repeats && report.problem.empty(); ++i) seconds.push_back(follow(options.steps));
  report.seconds_per_step = sdk::Median(seconds) / static_cast<double>(options.steps);
  return report;
}

ChaseSizes ChaseSizesOf(const DeviceTraits& traits) {
  const uint64_t cache = LastCache(traits);
  return {.l1 = kL1RingBytes, .l2 = std::min(kL2RingBytes, cache / 2), .memory = 4 * cache};
}

}  // namespace muster::physical
