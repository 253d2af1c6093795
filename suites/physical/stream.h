// How fast a device reads, writes and copies its memory, and exchanges data with the host's: each transfer timed by
// itself, on the device's clock, over data prepared anew, and verified before the next begins. nvbandwidth verifies the
// last of many transfers of the same data, with a pattern that repeats every 2 MiB; here a single transfer that went
// wrong shows, and an offset of any number of bytes.
#ifndef MUSTER_SUITES_PHYSICAL_STREAM_H_
#define MUSTER_SUITES_PHYSICAL_STREAM_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "suites/physical/compute_device.h"
#include "suites/physical/transfer_fault.h"

namespace muster::physical {

struct StreamOptions {
  uint64_t bytes = 0;  // Of each buffer; whole vectors of 16.
  int warm_ups = 2;    // Verified, not timed.
  int repeats = 1;
  std::optional<TransferFault> fault;
};

struct StreamReport {
  std::vector<double> seconds;  // Of each repeat.
  uint64_t bytes = 0;           // Read and written in one repeat.
  // "transfer 3: …"; empty when all that was moved is right. The first wrong transfer is the last one made.
  std::string problem;

  double MedianRate() const;  // Bytes a second; 0 of no repeats.
  double Moved() const { return static_cast<double>(bytes) * static_cast<double>(seconds.size()); }
};

// All throw ToolError when there is not so much memory.
StreamReport StreamCopyByDriver(ComputeDevice& device, const StreamOptions& options);
StreamReport StreamCopyByKernel(ComputeDevice& device, const StreamOptions& options);
StreamReport StreamRead(ComputeDevice& device, const StreamOptions& options);
StreamReport StreamWrite(ComputeDevice& device, const StreamOptions& options);
// a = b + 3 c, three buffers.
StreamReport StreamTriad(ComputeDevice& device, const StreamOptions& options);

// `host` is page-locked or plain memory of options.bytes, and is written. The fault of a flipped bit needs a target
// that the device's kernels reach: on plain memory nothing is flipped. `between` is called while data flows.
StreamReport StreamToDevice(ComputeDevice& device, void* host, const StreamOptions& options,
                            const std::function<void()>& between = {});
StreamReport StreamToHost(ComputeDevice& device, void* host, bool pinned, const StreamOptions& options,
                          const std::function<void()>& between = {});

// Both at once, on two queues: a part of the one direction's transfer is timed while the other's goes on, in turns. No
// seconds when the two never were at work at once. The fault is made in both. Page-locked memory.
struct StreamBothReport {
  StreamReport to_device;
  StreamReport to_host;
};
StreamBothReport StreamBoth(ComputeDevice& device, void* host_source, void* host_target, const StreamOptions& options,
                            const std::function<void()>& between = {});

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_STREAM_H_
