// The march over a device's memory: every 16 bytes written and read back in several patterns, in both directions, so
// that a cell that does not hold its value, takes its neighbour's, or answers at another's address is found and named.
//
// Elements are those of March C- (A. J. van de Goor, "Using March Tests to Test SRAMs", 1993): ⇑w0 ⇑(r0,w1) ⇑(r1,w0)
// ⇓(r0,w1) ⇓(r1,w0) ⇓r0, with an address-unique hash for 0 and its inverse for 1: one pass also finds aliased
// addresses, which solid patterns miss.
#ifndef MUSTER_SUITES_PHYSICAL_MEMORY_MARCH_H_
#define MUSTER_SUITES_PHYSICAL_MEMORY_MARCH_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "suites/physical/compute_device.h"
#include "suites/physical/march.kernels.h"

namespace muster::physical {

enum class MarchElement { kWrite, kVerify, kVerifyWrite, kMirror, kHold };

struct MarchStep {
  std::string name;  // "hash: up, read h, write ~h".
  MarchElement element = MarchElement::kWrite;
  MarchPattern expected = {};
  MarchPattern written = {};
  bool descending = false;
  bool mirrored = false;
  double hold_seconds = 0;
};

// The steps of a level (1 to 4); other keys for each seed.
std::vector<MarchStep> MarchSteps(int level, uint64_t seed);

// A fault that the test makes by itself, to see that it is found.
struct InjectedFault {
  enum class Kind { kFlippedBit, kStuckAtOne, kStuckAtZero, kAliasedAddresses };
  Kind kind = Kind::kFlippedBit;
  uint64_t vector =
      0;  // Of the first buffer. With kAliasedAddresses: the address bit (in vectors, a power of two) that is lost.
  uint32_t bit = 0;  // 0 to 127.
};
// "flip:VECTOR:BIT", "stuck1:VECTOR:BIT", "stuck0:VECTOR:BIT", "alias:VECTORS"; empty text: none. Throws ToolError for
// what is neither.
std::optional<InjectedFault> ParseFault(const std::string& text);

struct MarchOptions {
  int level = 1;
  uint64_t seed = 1;
  // Memory that is left to the driver and to others.
  uint64_t spare_bytes = 256ull << 20;
  // 0: all that is free.
  uint64_t limit_bytes = 0;
  std::optional<InjectedFault> fault;
};

// mix_bits (portable.h) backwards.
uint32_t UnmixBits(uint32_t mixed);

// Where in the memory under test a hash pattern puts this vector; nothing when it is no value of the pattern.
std::optional<uint64_t> IndexOfHash(const MarchPattern& pattern, const std::array<uint32_t, 4>& value);

struct MarchError {
  std::string step;
  uint64_t offset_bytes = 0;  // From the start of the memory under test.
  std::array<uint32_t, 4> expected, found, again;
  // Of the vector whose value was found instead, where that can be told: the two addresses are one.
  std::optional<uint64_t> owner_offset_bytes;
  // "offset 0x12340: expected …, found …, read again …, differing bits … (the second reading agrees with the first)".
  std::string Describe() const;
};

struct MarchReport {
  uint64_t bytes_tested = 0;
  double seconds = 0;      // Of all steps, by the device's clock.
  double bytes_moved = 0;  // Read and written.
  struct Rate {
    MarchElement element;
    std::string step;
    double bytes_per_second;  // Read and written.
  };
  std::vector<Rate> rates;  // Of each step that moves data.
  uint64_t wrong_vectors = 0;
  std::vector<MarchError> errors;  // The first of each step, at most 64 in all.
};

// Takes all free memory but `spare_bytes` and runs the steps of the level; stops after the first step with errors.
MarchReport MarchMemory(ComputeDevice& device, const MarchOptions& options);

// The device's own copy from one half of as much memory to the other: bytes read and written a second.
double CopyBandwidth(ComputeDevice& device, uint64_t bytes);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_MEMORY_MARCH_H_
