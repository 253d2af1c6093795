// A transfer that does something wrong, so that a test of transfers can be tested.
#ifndef MUSTER_SUITES_PHYSICAL_TRANSFER_FAULT_H_
#define MUSTER_SUITES_PHYSICAL_TRANSFER_FAULT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "suites/physical/compute_device.h"

namespace muster::physical {

struct TransferFault {
  // A chunk that is left out; data that lies `amount` bytes before where it belongs; a bit turned over; halves that
  // changed places; every transfer made `amount` times.
  enum class Kind { kDropped, kShifted, kFlipped, kSwapped, kSlow };
  Kind kind = Kind::kDropped;
  uint64_t offset = 0;
  uint64_t amount = 0;  // Bytes, the bit of the vector at `offset` (0 to 127), times.
};

// "drop:OFFSET:BYTES", "shift:BYTES", "flip:OFFSET:BIT", "swap", "slow:TIMES"; empty text: none. Throws ToolError for
// what is neither.
std::optional<TransferFault> ParseTransferFault(const std::string& text);

// Moves some of the data: to and from are offsets in bytes.
using MovePiece = std::function<void(uint64_t to, uint64_t from, uint64_t bytes)>;

// Moves all `bytes`, in one piece; with a fault, as the fault has it, but for a flipped bit. Throws ToolError when the
// fault does not lie within the bytes.
void Transfer(uint64_t bytes, const std::optional<TransferFault>& fault, const MovePiece& move);

// Makes the flipped bit in memory that the device's kernels reach; nothing with another fault. Queued.
void FlipBit(ComputeDevice& device, void* memory, uint64_t bytes, const std::optional<TransferFault>& fault);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_TRANSFER_FAULT_H_
