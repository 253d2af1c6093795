// Memory of the simulated devices: memory of the process, counted against the size of the device that it is on.
//
// Host, device and shared memory differ in that alone; the host can read and write all of it, which a real device's
// memory would not let it. Any thread.
#ifndef MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_MEMORY_H_
#define MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_MEMORY_H_

#include <level_zero/ze_api.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "tests/hardware_sim/level_zero/simulation.h"

namespace muster::sim::ze {

// Command queue groups of a device: compute, and copy alone.
inline constexpr uint32_t kQueueGroups = 2;
inline constexpr uint32_t kComputeGroup = 0;
inline constexpr uint32_t kQueuesOfGroup = 4;
inline constexpr size_t kMaxFillPattern = 16;

struct Allocation {
  char* base = nullptr;
  size_t size = 0;
  ze_memory_type_t type = ZE_MEMORY_TYPE_UNKNOWN;
  Device* device = nullptr;  // Null for host memory.
  uint64_t id = 0;
};

// The allocation that holds the address.
std::optional<Allocation> FindAllocation(const void* address);

// Whether [address, address + size) is memory that a command may use: within one allocation, or in none at all (memory
// of the system, which Intel's driver takes, too).
bool IsUsable(const void* address, size_t size);

// Of one allocation, unless the caller asks for relaxed limits.
uint64_t MaxAllocationBytes(const Device& device);

}  // namespace muster::sim::ze

#endif  // MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_MEMORY_H_
