#include "suites/physical/transfer_pattern.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/strings/str_cat.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/host_threads.h"
#include "suites/physical/memory_march.h"

namespace muster::physical {
namespace {

constexpr uint64_t kVectorBytes = 16;
constexpr uint32_t kGroupSize = 512;
// Of a buffer that one of the host's processors takes at a time.
constexpr uint64_t kHostChunk = 1 << 16;
// Bytes read around the first wrong vector: from them follows where they belong.
constexpr size_t kWindow = 2 * kVectorBytes;

using Vector = std::array<uint32_t, 4>;

MarchPattern PatternOf(uint32_t key) { return {MARCH_HASH, key, 0, 0}; }

Vector ValueOf(uint64_t index, uint32_t key) {
  const u32x4 value = march_value(index, PatternOf(key));
  return {value.x, value.y, value.z, value.w};
}

std::string Hex(const Vector& words) {
  std::string text = "0x";
  for (size_t i = 4; i-- > 0;) absl::StrAppend(&text, absl::Hex(words[i], absl::kZeroPad8));
  return text;
}

// `chunk(first, end)` for all of `vectors`, on as many threads as there are processors, at most 16.
template <typename Chunk>
void OnAllProcessors(uint64_t vectors, const Chunk& chunk) {
  const uint64_t chunks = (vectors + kHostChunk - 1) / kHostChunk;
  OnHostThreads(chunks, [&](uint64_t i) { chunk(i * kHostChunk, std::min(vectors, (i + 1) * kHostChunk)); });
}

// Where the first bytes of the window belong, by whichever vector lies whole in it; the window's first byte lies at
// `offset`.
void Place(const std::array<char, kWindow>& window, uint64_t offset, TransferKeys keys, TransferCheck& check) {
  for (size_t at = 0; at <= kWindow - kVectorBytes; ++at) {
    Vector vector;
    std::memcpy(vector.data(), window.data() + at, kVectorBytes);
    const auto index = IndexOfHash(PatternOf(keys.written), vector);
    // The next vector may be in its place: it tells nothing of this one.
    if (index && *index < check.vectors && *index * kVectorBytes != offset + at) {
      check.belongs_at = static_cast<int64_t>(*index * kVectorBytes) - static_cast<int64_t>(at);
      return;
    }
    const auto before = IndexOfHash(PatternOf(keys.before), vector);
    if (before && *before * kVectorBytes == offset + at) {
      check.old = true;
      return;
    }
  }
}

// How many of the vectors from `first` on are wrong.
class KernelCounter {
 public:
  KernelCounter(ComputeDevice& device, const RangeVerifier& verify)
      : device_(device), verify_(verify), errors_(device, sizeof(MarchErrors)), seen_(new MarchErrors) {}

  uint64_t Count(uint64_t first, uint64_t vectors) {
    if (vectors == 0) return 0;
    device_.Zero(errors_.data(), sizeof(MarchErrors));
    verify_(first, vectors, errors_.data());
    device_.ReadBack(seen_.get(), errors_.data(), sizeof(MarchErrors));
    return seen_->count;
  }
  // The first wrong one below `end`, of which there is one.
  uint64_t First(uint64_t end) {
    uint64_t right = 0;
    while (end - right > 1) {
      const uint64_t middle = right + (end - right) / 2;
      (Count(right, middle - right) != 0 ? end : right) = middle;
    }
    return right;
  }
  uint64_t Last(uint64_t first, uint64_t end) {
    while (end - first > 1) {
      const uint64_t middle = first + (end - first) / 2;
      (Count(middle, end - middle) != 0 ? first : end) = middle;
    }
    return first;
  }
  // Of a vector that is wrong; false when it is right now.
  bool Look(uint64_t index, TransferCheck& check) {
    if (Count(index, 1) == 0) return false;
    std::copy_n(seen_->records[0].expected, 4, check.expected.begin());
    std::copy_n(seen_->records[0].found, 4, check.found.begin());
    return true;
  }

 private:
  ComputeDevice& device_;
  const RangeVerifier& verify_;
  DeviceMemory errors_;
  const std::unique_ptr<MarchErrors> seen_;
};

}  // namespace

std::string TransferCheck::Problem() const {
  if (wrong_vectors == 0) return "";
  std::string text = absl::StrCat(wrong_vectors, " of ", vectors, " vectors of 16 bytes are wrong, from offset 0x",
                                  absl::Hex(first_offset), " to 0x", absl::Hex(last_offset + kVectorBytes - 1), "; ");
  int bits = 0;
  Vector differing;
  for (size_t i = 0; i < 4; ++i) {
    differing[i] = expected[i] ^ found[i];
    bits += std::popcount(differing[i]);
  }
  if (old) {
    absl::StrAppend(&text, "the first holds what lay there before: it was not written");
  } else if (belongs_at) {
    const int64_t by = *belongs_at - static_cast<int64_t>(first_offset);
    absl::StrAppend(&text, "the first holds what belongs at offset ", *belongs_at, ", ", by < 0 ? -by : by,
                    by < 0 ? " bytes further back" : " bytes further on");
  } else {
    absl::StrAppend(&text, bits, bits == 1 ? " bit of the first differs" : " bits of the first differ");
  }
  absl::StrAppend(&text, ": expected ", Hex(expected), ", found ", Hex(found), ", differing bits ", Hex(differing));
  return text;
}

void FillPattern(ComputeDevice& device, void* memory, uint64_t bytes, uint32_t key) {
  const MarchArguments arguments = {.vectors = bytes / kVectorBytes, .written = PatternOf(key)};
  const uint64_t of_group = uint64_t{kGroupSize} * MARCH_IN_FLIGHT;
  device.Launch({.kernel = "march_write",
                 .groups = (arguments.vectors + of_group - 1) / of_group,
                 .group_size = kGroupSize,
                 .buffers = {memory, memory},
                 .arguments = &arguments,
                 .arguments_size = sizeof(arguments)});
}

TransferCheck CheckByKernel(ComputeDevice& device, uint64_t vectors, const RangeVerifier& verify) {
  KernelCounter counter(device, verify);
  TransferCheck check = {.vectors = vectors, .wrong_vectors = counter.Count(0, vectors)};
  if (check.wrong_vectors == 0) return check;
  const uint64_t first = counter.First(vectors);
  check.first_offset = first * kVectorBytes;
  check.last_offset = counter.Last(first, vectors) * kVectorBytes;
  counter.Look(first, check);
  return check;
}

TransferCheck CheckPattern(ComputeDevice& device, void* memory, uint64_t bytes, TransferKeys keys) {
  const auto verify = [&](uint64_t first, uint64_t vectors, void* errors) {
    const MarchArguments arguments = {.vectors = vectors, .base = first, .expected = PatternOf(keys.written)};
    const uint64_t of_group = uint64_t{kGroupSize} * MARCH_IN_FLIGHT;
    device.Launch({.kernel = "march_verify",
                   .groups = (vectors + of_group - 1) / of_group,
                   .group_size = kGroupSize,
                   .buffers = {static_cast<char*>(memory) + first * kVectorBytes, errors},
                   .arguments = &arguments,
                   .arguments_size = sizeof(arguments)});
  };
  TransferCheck check = CheckByKernel(device, bytes / kVectorBytes, verify);
  if (check.wrong_vectors == 0) return check;
  const uint64_t offset = std::min(check.first_offset, bytes - kWindow);
  std::array<char, kWindow> window;
  device.ReadBack(window.data(), static_cast<char*>(memory) + offset, kWindow);
  Place(window, offset, keys, check);
  if (check.belongs_at) *check.belongs_at += static_cast<int64_t>(check.first_offset - offset);
  return check;
}

void FillPatternOnHost(void* memory, uint64_t bytes, uint32_t key) {
  auto* const to = static_cast<u32x4*>(memory);
  OnAllProcessors(bytes / kVectorBytes, [&](uint64_t first, uint64_t end) {
    const MarchPattern pattern = PatternOf(key);
    for (uint64_t i = first; i < end; ++i) to[i] = march_value(i, pattern);
  });
}

TransferCheck CheckPatternOnHost(const void* memory, uint64_t bytes, TransferKeys keys) {
  const auto* const data = static_cast<const u32x4*>(memory);
  TransferCheck check = {.vectors = bytes / kVectorBytes, .first_offset = bytes};
  std::mutex mutex;
  OnAllProcessors(check.vectors, [&](uint64_t first, uint64_t end) {
    const MarchPattern pattern = PatternOf(keys.written);
    uint32_t differs = 0;
    for (uint64_t i = first; i < end; ++i) {
      const u32x4 value = march_value(i, pattern);
      differs |= (value.x ^ data[i].x) | (value.y ^ data[i].y) | (value.z ^ data[i].z) | (value.w ^ data[i].w);
    }
    if (differs == 0) return;
    const std::lock_guard lock(mutex);
    for (uint64_t i = first; i < end; ++i) {
      if (march_same(march_value(i, pattern), data[i])) continue;
      ++check.wrong_vectors;
      check.first_offset = std::min(check.first_offset, i * kVectorBytes);
      check.last_offset = std::max(check.last_offset, i * kVectorBytes);
    }
  });
  if (check.wrong_vectors == 0) return check;
  const uint64_t offset = std::min(check.first_offset, bytes - kWindow);
  std::array<char, kWindow> window;
  std::memcpy(window.data(), static_cast<const char*>(memory) + offset, kWindow);
  check.expected = ValueOf(check.first_offset / kVectorBytes, keys.written);
  std::memcpy(check.found.data(), window.data() + (check.first_offset - offset), kVectorBytes);
  Place(window, offset, keys, check);
  if (check.belongs_at) *check.belongs_at += static_cast<int64_t>(check.first_offset - offset);
  return check;
}

}  // namespace muster::physical
