// Data in which every 16 bytes tell where they belong, for whatever moves data: written and checked by the device, or
// by the host's processors. A shift by any number of bytes, a chunk left out, halves that changed places and a flipped
// bit all show, and are told apart.
#ifndef MUSTER_SUITES_PHYSICAL_TRANSFER_PATTERN_H_
#define MUSTER_SUITES_PHYSICAL_TRANSFER_PATTERN_H_

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "suites/physical/compute_device.h"

namespace muster::physical {

// What is written and what lay there before: keys of the hash of march.kernels.h.
struct TransferKeys {
  uint32_t written = 0;
  uint32_t before = 0;
};

struct TransferCheck {
  uint64_t vectors = 0;  // Of 16 bytes.
  uint64_t wrong_vectors = 0;
  // Of the first and the last wrong vector, in bytes from the start.
  uint64_t first_offset = 0;
  uint64_t last_offset = 0;
  // The first wrong vector.
  std::array<uint32_t, 4> expected = {};
  std::array<uint32_t, 4> found = {};
  // What lay there before: nothing arrived.
  bool old = false;
  // Where the bytes found at first_offset belong.
  std::optional<int64_t> belongs_at;

  // "1024 of 4096 vectors of 16 bytes are wrong, from offset 0x1000 to 0x4fff; the first holds what belongs at offset
  // 0x2000, 4096 bytes further on: expected 0x…, found 0x…, …"; empty when all are right.
  std::string Problem() const;
};

// Whole vectors; memory that the device's kernels reach, aligned to 16 bytes. The filling is queued, the check waits.
void FillPattern(ComputeDevice& device, void* memory, uint64_t bytes, uint32_t key);
TransferCheck CheckPattern(ComputeDevice& device, void* memory, uint64_t bytes, TransferKeys keys);

// The same by all of the host's processors.
void FillPatternOnHost(void* memory, uint64_t bytes, uint32_t key);
TransferCheck CheckPatternOnHost(const void* memory, uint64_t bytes, TransferKeys keys);

// For kernels that verify something else into MarchErrors: `verify(first, vectors, errors)` queues the check of some
// vectors. The count, and the places of the first and the last wrong vector, for which it asks again and again.
using RangeVerifier = std::function<void(uint64_t first, uint64_t vectors, void* errors)>;
TransferCheck CheckByKernel(ComputeDevice& device, uint64_t vectors, const RangeVerifier& verify);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_TRANSFER_PATTERN_H_
