#include "suites/physical/peer_atomics.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/peer_atomics.kernels.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint32_t kSlots = 4096;
constexpr uint32_t kGroupSize = 256;
constexpr uint32_t kGroups = 256;
constexpr uint32_t kRounds = 32;
constexpr uint32_t kItems = kGroups * kGroupSize;
static_assert(kItems % kSlots == 0);

}  // namespace

std::optional<AtomicsFault> ParseAtomicsFault(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  AtomicsFault fault;
  if (parts.size() == 3 && absl::SimpleAtoi(parts[0], &fault.by) && absl::SimpleAtoi(parts[1], &fault.at) &&
      absl::SimpleAtoi(parts[2], &fault.slot) && fault.slot < kSlots) {
    return fault;
  }
  throw sdk::ToolError(
      absl::StrCat("inject_atomics: expected BY:AT:SLOT, slots to ", kSlots - 1, ", found '", text, "'"));
}

AtomicsReport CountTogether(const std::vector<ComputeDevice*>& devices, const std::vector<size_t>& by, size_t at,
                            const std::optional<AtomicsFault>& fault) {
  const DeviceMemory counts(*devices[at], kSlots * sizeof(u32));
  devices[at]->Zero(counts.data(), counts.bytes());
  devices[at]->Wait();
  const auto begin = std::chrono::steady_clock::now();
  for (const size_t device : by) {
    const bool faulty = fault && fault->by == device && fault->at == at;
    const PeerCountArguments arguments = {.slots = kSlots, .rounds = kRounds, .lost = faulty ? fault->slot : ~0u};
    devices[device]->Launch({.kernel = "peer_count",
                             .groups = kGroups,
                             .group_size = kGroupSize,
                             .buffers = {counts.data()},
                             .arguments = &arguments,
                             .arguments_size = sizeof(arguments)});
  }
  for (const size_t device : by) devices[device]->Wait();
  AtomicsReport report = {.additions = static_cast<double>(by.size()) * kItems * kRounds,
                          .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
  std::vector<u32> found(kSlots);
  devices[at]->ReadBack(found.data(), counts.data(), counts.bytes());
  const u32 expected = static_cast<u32>(by.size()) * (kItems / kSlots) * kRounds;
  const auto wrong = std::count_if(found.begin(), found.end(), [&](u32 count) { return count != expected; });
  if (wrong == 0) return report;
  const auto first = std::find_if(found.begin(), found.end(), [&](u32 count) { return count != expected; });
  report.problem = absl::StrCat("in GPU ", at, "'s memory, with additions by GPU ", absl::StrJoin(by, ", GPU "), ": ",
                                wrong, " of ", kSlots, " sums are wrong; slot ", first - found.begin(), ": expected ",
                                expected, ", found ", *first);
  return report;
}

}  // namespace muster::physical
