// The sum of what all devices of a machine hold, in each of them: by the vendor's library where there is one, or by a
// ring of our own; every element of every device checked against the one right sum.
#ifndef MUSTER_SUITES_PHYSICAL_ALL_REDUCE_H_
#define MUSTER_SUITES_PHYSICAL_ALL_REDUCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "suites/physical/compute_device.h"
#include "suites/physical/device_memory.h"

namespace muster::physical {

enum class ReduceType { kInt32, kFp32, kBf16 };
// "int32", "fp32", "bf16".
const char* ReduceTypeName(ReduceType type);

// What adds up.
class Reducer {
 public:
  virtual ~Reducer() = default;
  virtual std::string Name() const = 0;
  // Queues the sum of all `given` to each of `sums`, on the devices that it was made for, in their order. `bytes` is a
  // multiple of 4. What `given` holds stays.
  virtual void Add(ReduceType type, const std::vector<void*>& given, const std::vector<void*>& sums,
                   uint64_t bytes) = 0;
};

// Each device adds from its left neighbour's memory, then copies from it (P. Patarasuk and X. Yuan, "Bandwidth optimal
// all-reduce algorithms for clusters of workstations", 2009), a step at a time, for all devices together: simple, and
// no match for a library in speed. The devices outlive it. DeviceSkipped when neighbours do not reach each other.
std::unique_ptr<Reducer> MakeRingReducer(std::vector<ComputeDevice*> devices);

// A fault that the test makes by itself: what a device gives at a word is left out, or a bit of its sum turned over.
struct ReduceFault {
  bool left_out = false;
  size_t device = 0;
  uint64_t word = 0;
  uint32_t bit = 0;
};
// "lacks:DEVICE:WORD", "flip:DEVICE:WORD:BIT"; empty text: none. Throws ToolError for what is neither.
std::optional<ReduceFault> ParseReduceFault(const std::string& text);

struct ReduceReport {
  double seconds = 0;  // Of one, by the first device's clock.
  // Of each device that is wrong: "GPU 1: 3 of 1024 words are wrong; word 17 …".
  std::vector<std::string> problems;
};

class AllReduce {
 public:
  // Takes `bytes` twice on each device. ToolError when there is not that much memory, DeviceSkipped when there are more
  // devices than sums are exact for.
  AllReduce(std::vector<ComputeDevice*> devices, Reducer& reducer, uint64_t bytes, uint64_t seed);

  // `times` one after the other are timed as one; the last one's sums are checked.
  ReduceReport Run(ReduceType type, uint64_t bytes, int times, const std::optional<ReduceFault>& fault);

 private:
  void Launch(size_t device, const char* kernel, std::vector<void*> buffers, uint64_t bytes, ReduceType type);
  std::string Check(size_t device, uint64_t bytes, ReduceType type);

  const std::vector<ComputeDevice*> devices_;
  Reducer& reducer_;
  const uint64_t bytes_;
  uint32_t key_;
  std::vector<std::unique_ptr<DeviceMemory>> memory_;
  std::vector<void*> given_;
  std::vector<void*> sums_;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_ALL_REDUCE_H_
