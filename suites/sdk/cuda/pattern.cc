#include "suites/sdk/cuda/pattern.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "suites/sdk/cuda/pattern_kernels.h"

namespace muster::sdk::cuda {

std::string Verification::Problem() const {
  if (wrong_words == 0) return "";
  std::string text = absl::StrFormat("%d of %d words are wrong", wrong_words, words);
  for (const Mismatch& one : examples) {
    absl::StrAppendFormat(&text, "; word %d (byte 0x%x) expected 0x%016x, found 0x%016x", one.index, 8 * one.index,
                          one.expected, one.found);
  }
  return text;
}

void FillPattern(const Stream& stream, uint64_t* data, size_t words, uint64_t seed) {
  CUDA_CHECK(LaunchFill(data, words, seed, stream.get()));
}

Verification VerifyPattern(const Stream& stream, const uint64_t* data, size_t words, uint64_t seed) {
  DeviceBuffer<MismatchList> found(1);
  CUDA_CHECK(cudaMemsetAsync(found.data(), 0, sizeof(MismatchList), stream.get()));
  CUDA_CHECK(LaunchVerify(data, words, seed, found.data(), stream.get()));
  MismatchList list;
  CUDA_CHECK(cudaMemcpyAsync(&list, found.data(), sizeof(list), cudaMemcpyDeviceToHost, stream.get()));
  stream.Wait();
  Verification result{.words = words, .wrong_words = list.count, .examples = {}};
  result.examples.assign(list.examples, list.examples + std::min<uint64_t>(list.count, kMaxExamples));
  return result;
}

void FillPatternOnHost(uint64_t* data, size_t words, uint64_t seed) {
  for (size_t i = 0; i < words; ++i) data[i] = PatternWord(i, seed);
}

Verification VerifyPatternOnHost(const uint64_t* data, size_t words, uint64_t seed) {
  Verification result{.words = words, .wrong_words = 0, .examples = {}};
  for (size_t i = 0; i < words; ++i) {
    const uint64_t expected = PatternWord(i, seed);
    if (data[i] == expected) continue;
    if (++result.wrong_words <= kMaxExamples) result.examples.push_back({i, expected, data[i]});
  }
  return result;
}

}  // namespace muster::sdk::cuda
