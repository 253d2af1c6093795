// What a driver does with requests for memory: many small ones that must not overlap, more than there is, and ten
// thousand that are given back, of which nothing may stay.
#ifndef MUSTER_SUITES_PHYSICAL_ALLOCATIONS_H_
#define MUSTER_SUITES_PHYSICAL_ALLOCATIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "suites/physical/api_injection.h"
#include "suites/physical/compute_device.h"

namespace muster::physical {

// What may be missing of the free memory afterwards: a driver keeps some of what it once took.
inline constexpr uint64_t kKeptByDriverBytes = 8ull << 20;

struct SmallAllocationsReport {
  uint64_t allocations = 0;
  uint64_t bytes = 0;
  double allocate_seconds = 0;
  double free_seconds = 0;
  uint64_t overlaps = 0;       // Pairs of neighbours by address, as the driver gave them.
  uint64_t wrong_vectors = 0;  // Of 16 bytes, that did not keep their value.
  int64_t bytes_missing = 0;   // Of the free memory, when all is given back.
  std::vector<std::string> problems;
};

// `count` allocations of 16 bytes to 1 MiB at once, each filled with values that no other has, all verified, all freed.
// "overlap:N": allocation N (from 1) is used at the address of the one before. "corrupt:N": a bit of it turns over.
SmallAllocationsReport RunSmallAllocations(ComputeDevice& device, uint64_t count, uint64_t seed,
                                           const ApiInjection& injection = ApiInjection());

struct ExhaustionReport {
  uint64_t free_bytes = 0;   // Before.
  uint64_t taken_bytes = 0;  // When the driver refused the smallest piece.
  uint64_t pieces = 0;
  int64_t bytes_missing = 0;
  std::vector<std::string> problems;
};

// Asks for what cannot be, then takes all that there is; at the end of memory kernels still compute, and it comes back.
// "keep:MIB": so much is not given back.
ExhaustionReport RunExhaustion(ComputeDevice& device, const ApiInjection& injection = ApiInjection());

struct LeakReport {
  uint64_t cycles = 0;
  double seconds = 0;
  int64_t device_bytes_lost = 0;
  int64_t host_bytes_grown = 0;  // Of this process's resident memory.
  uint64_t wrong_values = 0;
};

// `cycles` times: a queue, memory of the device and of the host, a kernel, an event, and all given back.
// "leak:N": N times 1 MiB of device memory is kept. "leak_host:MIB": so much host memory.
LeakReport RunLeak(ComputeDevice& device, uint64_t cycles, const ApiInjection& injection = ApiInjection());

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_ALLOCATIONS_H_
