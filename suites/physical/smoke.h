// The least that a device must do: take memory, run a kernel, copy, and show the host the same as itself.
#ifndef MUSTER_SUITES_PHYSICAL_SMOKE_H_
#define MUSTER_SUITES_PHYSICAL_SMOKE_H_

#include <cstdint>
#include <string>

#include "suites/physical/compute_device.h"

namespace muster::physical {

// Memory in which every 16 bytes are their own, by `seed`, for as long as the object lives.
class PatternedMemory {
 public:
  // Throws ToolError when there is not that much. A multiple of 16 bytes.
  PatternedMemory(ComputeDevice& device, uint64_t bytes, uint64_t seed);
  ~PatternedMemory();
  PatternedMemory(const PatternedMemory&) = delete;
  PatternedMemory& operator=(const PatternedMemory&) = delete;

  // What is not as it was written, as the device sees it; empty when nothing is.
  std::string VerifyOnDevice();
  // The same, read back and computed again by the host: the device must not vouch for itself.
  std::string VerifyOnHost();
  // A copy of the device takes its place; the first memory is freed.
  void CopyOnDevice();

  void* data() const { return data_; }

 private:
  ComputeDevice& device_;
  const uint64_t vectors_;
  const uint32_t key_;
  void* data_ = nullptr;
  void* errors_ = nullptr;
};

// Writes, copies and verifies so many bytes, and moves each five times. What is wrong; empty when nothing is.
std::string Smoke(ComputeDevice& device, uint64_t bytes, uint64_t seed);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_SMOKE_H_
