#include "suites/physical/golden_oracle.h"

#include <algorithm>
#include <atomic>
#include <functional>

#include "absl/strings/str_cat.h"
#include "suites/physical/host_threads.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

// Entries of which a thread of its own is worth its start.
constexpr uint64_t kEntriesOfThread = 1 << 18;

// Compares `seen` with `expected(index)` at all places, or at `samples` of them. Each takes `entries` of the operands.
void Compare(const char* what, const std::vector<u64>& seen, uint32_t samples, u32 key, uint64_t entries,
             const std::function<u64(u32 index)>& expected) {
  const auto count = static_cast<uint32_t>(seen.size());
  const uint32_t places = samples == 0 ? count : std::min(samples, count);
  const auto place = [&](uint32_t n) { return places == count ? n : mix_bits(key + n) % count; };
  std::atomic<uint32_t> wrong = count;
  const auto compare = [&](uint64_t n) {
    const uint32_t at = place(static_cast<uint32_t>(n));
    if (expected(at) != seen[at]) wrong = at;
  };
  OnHostThreads(places, compare, places * entries / kEntriesOfThread + 1);
  if (wrong == count) return;
  throw sdk::DeviceFailure(absl::StrCat("the device computes other checksums than the host: ", what, " ", wrong.load(),
                                        ", expected ", static_cast<int64_t>(expected(wrong)), ", found ",
                                        static_cast<int64_t>(seen[wrong]), ": its integer units are at fault"));
}

}  // namespace

void ExpectSumsAsOnHost(const GoldenArguments& product, const std::vector<u64>& sums, uint32_t samples) {
  std::vector<int> weights(product.columns);
  for (u32 j = 0; j < product.columns; ++j) weights[j] = golden_weight(product.key_weights, j);
  Compare("sum", sums, samples, product.key_a, product.columns, [&](u32 k) {
    int64_t sum = 0;
    for (u32 j = 0; j < product.columns; ++j) {
      sum += int64_t{weights[j]} *
             golden_value(product.key_b, (j + product.first_column) * product.depth + k, product.bound);
    }
    return static_cast<u64>(sum);
  });
}

void ExpectRowsAsOnHost(const GoldenArguments& product, const std::vector<u64>& sums, const std::vector<u64>& rows,
                        uint32_t samples) {
  Compare("row", rows, samples, product.key_b, product.depth, [&](u32 i) {
    int64_t row = 0;
    for (u32 k = 0; k < product.depth; ++k) {
      row += golden_value(product.key_a, i * product.depth + k, product.bound) * static_cast<int64_t>(sums[k]);
    }
    return static_cast<u64>(row);
  });
}

}  // namespace muster::physical
