// A pattern in memory of which every 8 bytes are their own: written and verified on the device at memory speed, or on
// the host.
//
// Word i of a buffer is a hash of i and the seed, so a word that lies at the wrong place, is old, or was not written
// shows.
#ifndef MUSTER_SUITES_SDK_CUDA_PATTERN_H_
#define MUSTER_SUITES_SDK_CUDA_PATTERN_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "suites/sdk/cuda/memory.h"

namespace muster::sdk::cuda {

// The finaliser of SplitMix64: every input its own output, and neighbours far apart.
#ifdef __CUDACC__
__host__ __device__
#endif
    inline uint64_t
    PatternWord(uint64_t index, uint64_t seed) {
  uint64_t z = index * 0x9E3779B97F4A7C15ull + seed;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

struct Mismatch {
  uint64_t index;  // Of the word.
  uint64_t expected;
  uint64_t found;
};

struct Verification {
  uint64_t words = 0;
  uint64_t wrong_words = 0;
  // The first that were recorded, at most 16.
  std::vector<Mismatch> examples;

  // "3 of 1024 words are wrong: word 17 (byte 0x88) expected 0x… found 0x…"; empty when all are right.
  std::string Problem() const;
};

// Queues the writing of `words` words at `data` (16-byte aligned).
void FillPattern(const Stream& stream, uint64_t* data, size_t words, uint64_t seed);
// Reads them all and waits.
Verification VerifyPattern(const Stream& stream, const uint64_t* data, size_t words, uint64_t seed);

// The same in host memory.
void FillPatternOnHost(uint64_t* data, size_t words, uint64_t seed);
Verification VerifyPatternOnHost(const uint64_t* data, size_t words, uint64_t seed);

}  // namespace muster::sdk::cuda

#endif  // MUSTER_SUITES_SDK_CUDA_PATTERN_H_
