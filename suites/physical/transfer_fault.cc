#include "suites/physical/transfer_fault.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "suites/physical/march.kernels.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint64_t kVectorBytes = 16;

void RequireWithin(uint64_t end, uint64_t bytes) {
  if (end > bytes) {
    throw sdk::ToolError(
        absl::StrCat("inject_transfer: expected a fault within the ", bytes, " bytes, it ends at ", end));
  }
}

}  // namespace

std::optional<TransferFault> ParseTransferFault(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  const struct {
    const char* name;
    TransferFault::Kind kind;
    size_t numbers;
  } kinds[] = {{"drop", TransferFault::Kind::kDropped, 2},
               {"shift", TransferFault::Kind::kShifted, 1},
               {"flip", TransferFault::Kind::kFlipped, 2},
               {"swap", TransferFault::Kind::kSwapped, 0},
               {"slow", TransferFault::Kind::kSlow, 1}};
  for (const auto& [name, kind, numbers] : kinds) {
    TransferFault fault{.kind = kind};
    if (parts[0] != name || parts.size() != numbers + 1) continue;
    if (numbers == 2 && !absl::SimpleAtoi(parts[1], &fault.offset)) continue;
    if (numbers >= 1 && !absl::SimpleAtoi(parts.back(), &fault.amount)) continue;
    return fault;
  }
  throw sdk::ToolError(
      absl::StrCat("inject_transfer: expected drop:OFFSET:BYTES, shift:BYTES, flip:OFFSET:BIT, swap or slow:TIMES, "
                   "found '",
                   text, "'"));
}

void Transfer(uint64_t bytes, const std::optional<TransferFault>& fault, const MovePiece& move) {
  if (!fault || fault->kind == TransferFault::Kind::kFlipped) return move(0, 0, bytes);
  const uint64_t half = bytes / 2 / kVectorBytes * kVectorBytes;
  switch (fault->kind) {
    case TransferFault::Kind::kDropped: {
      const uint64_t end = fault->offset + fault->amount;
      RequireWithin(end, bytes);
      if (fault->offset > 0) move(0, 0, fault->offset);
      if (end < bytes) move(end, end, bytes - end);
      return;
    }
    case TransferFault::Kind::kShifted:
      RequireWithin(fault->amount + kVectorBytes, bytes);
      return move(0, fault->amount, bytes - fault->amount);
    case TransferFault::Kind::kSwapped:
      move(0, half, half);
      return move(half, 0, half);
    case TransferFault::Kind::kSlow:
      for (uint64_t i = 0; i < fault->amount; ++i) move(0, 0, bytes);
      return;
    case TransferFault::Kind::kFlipped:
      return;
  }
}

void FlipBit(ComputeDevice& device, void* memory, uint64_t bytes, const std::optional<TransferFault>& fault) {
  if (!fault || fault->kind != TransferFault::Kind::kFlipped) return;
  RequireWithin(fault->offset + kVectorBytes, bytes);
  MarchFault masks = {.vector = fault->offset / kVectorBytes, .and_mask = {~0u, ~0u, ~0u, ~0u}};
  masks.xor_mask[fault->amount / 32 % 4] = 1u << (fault->amount % 32);
  device.Launch(
      {.kernel = "march_inject", .buffers = {memory, memory}, .arguments = &masks, .arguments_size = sizeof(masks)});
}

}  // namespace muster::physical
