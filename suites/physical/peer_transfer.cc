#include "suites/physical/peer_transfer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "suites/physical/memory_march.h"
#include "suites/physical/stream.kernels.h"
#include "suites/physical/transfer_pattern.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint64_t kVectorBytes = 16;
constexpr uint64_t kGrain = 4096;  // Of a pair's share of a device's memory.
constexpr uint32_t kGroupSize = 512;

using Clock = std::chrono::steady_clock;

// What `from` sends to `to`; of nobody's pair when both are the same.
uint32_t KeyOf(uint64_t seed, uint32_t round, const PeerPair& pair) {
  uint32_t key = mix_bits(static_cast<u32>(seed ^ (seed >> 32)) + round);
  key = mix_bits(key ^ static_cast<u32>(pair.from + 1));
  return mix_bits(key + 0x9e3779b1u * static_cast<u32>(pair.to + 1));
}

void CopyByKernel(ComputeDevice& queue, void* to, const void* from, uint64_t bytes) {
  const StreamArguments arguments = {.vectors = bytes / kVectorBytes};
  queue.Launch({.kernel = "stream_copy",
                .groups = (arguments.vectors + kGroupSize - 1) / kGroupSize,
                .group_size = kGroupSize,
                .buffers = {to, const_cast<void*>(from)},
                .arguments = &arguments,
                .arguments_size = sizeof(arguments)});
}

}  // namespace

// A pair's part of the work.
struct PeerTransfers::Lane {
  PeerPair pair;
  char* source;
  char* target;
  const void* wrong_source;  // Another device's data, for the fault of that kind.
  uint64_t bytes;
  uint32_t key;
};

const char* PeerMethodName(PeerMethod method) {
  static constexpr const char* kNames[] = {"copy", "loads", "stores"};
  return kNames[static_cast<int>(method)];
}

std::optional<PeerFault> ParsePeerFault(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 2));
  PeerFault fault;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &fault.pair.from) ||
      !absl::SimpleAtoi(parts[1], &fault.pair.to) || fault.pair.from == fault.pair.to) {
    throw sdk::ToolError(absl::StrCat("inject_link: expected FROM:TO:FAULT, found '", text, "'"));
  }
  if (parts[2] != "source") fault.transfer = ParseTransferFault(parts[2]);
  return fault;
}

double PeerRound::BytesPerSecond() const {
  double bytes = 0;
  for (const PeerResult& result : results) bytes += static_cast<double>(result.bytes);
  return bytes / seconds;
}

PeerTransfers::PeerTransfers(std::vector<ComputeDevice*> devices, uint64_t bytes, uint64_t seed)
    : devices_(std::move(devices)), bytes_(bytes), seed_(seed) {
  for (ComputeDevice* device : devices_) {
    sources_.push_back(std::make_unique<DeviceMemory>(*device, bytes));
    targets_.push_back(std::make_unique<DeviceMemory>(*device, bytes));
  }
  for (size_t from = 0; from < devices_.size(); ++from) {
    for (size_t to = 0; to < devices_.size(); ++to) {
      if (from == to) continue;
      const bool there = devices_[from]->ReachPeer(*devices_[to]);
      reach_[{from, to}] = devices_[to]->ReachPeer(*devices_[from]) && there;
    }
  }
}

std::vector<PeerTransfers::Lane> PeerTransfers::Lanes(const std::vector<PeerPair>& pairs) {
  std::vector<uint64_t> sends(devices_.size());
  std::vector<uint64_t> receives(devices_.size());
  for (const PeerPair& pair : pairs) ++sends.at(pair.from), ++receives.at(pair.to);
  const uint64_t shares =
      std::max(*std::max_element(sends.begin(), sends.end()), *std::max_element(receives.begin(), receives.end()));
  const uint64_t bytes = bytes_ / shares / kGrain * kGrain;
  if (bytes == 0)
    throw sdk::ToolError(absl::StrCat("expected more than ", bytes_, " bytes for ", shares, " transfers"));
  std::vector<Lane> lanes;
  for (const PeerPair& pair : pairs) {
    // With two devices the other one is the receiver itself.
    size_t other = 0;
    while (other == pair.from || (other == pair.to && devices_.size() > 2)) ++other;
    lanes.push_back({.pair = pair,
                     .source = static_cast<char*>(sources_[pair.from]->data()) + --sends[pair.from] * bytes,
                     .target = static_cast<char*>(targets_[pair.to]->data()) + --receives[pair.to] * bytes,
                     .wrong_source = sources_[other]->data(),
                     .bytes = bytes,
                     .key = KeyOf(seed_, round_, pair)});
  }
  return lanes;
}

ComputeDevice& PeerTransfers::QueueOf(const PeerPair& pair, PeerMethod method) {
  auto& queue = queues_[static_cast<int>(method)][{pair.from, pair.to}];
  if (queue == nullptr) queue = devices_[method == PeerMethod::kLoads ? pair.to : pair.from]->OpenQueue();
  return *queue;
}

void PeerTransfers::Fill(const std::vector<Lane>& lanes) {
  for (size_t i = 0; i < devices_.size(); ++i)
    FillPattern(*devices_[i], sources_[i]->data(), lanes[0].bytes, KeyOf(seed_, round_, {i, i}));
  for (const Lane& lane : lanes) {
    FillPattern(*devices_[lane.pair.from], lane.source, lane.bytes, lane.key);
    FillPattern(*devices_[lane.pair.to], lane.target, lane.bytes, ~lane.key);
  }
  for (ComputeDevice* device : devices_) device->Wait();
}

void PeerTransfers::Move(const Lane& lane, PeerMethod method, const std::optional<PeerFault>& fault) {
  ComputeDevice& queue = QueueOf(lane.pair, method);
  const bool faulty = fault && fault->pair == lane.pair;
  const char* source = lane.source;
  if (faulty && !fault->transfer) source = static_cast<const char*>(lane.wrong_source);
  Transfer(lane.bytes, faulty ? fault->transfer : std::nullopt, [&](uint64_t to, uint64_t from, uint64_t bytes) {
    // A shift by some bytes is nothing that a kernel of whole vectors could make.
    if (method == PeerMethod::kCopy || from % kVectorBytes != 0) {
      queue.Copy(lane.target + to, source + from, bytes);
    } else {
      CopyByKernel(queue, lane.target + to, source + from, bytes);
    }
  });
}

// Each transfer by a thread of its own, which waits for the others to be ready: each is timed by its device's clock,
// and all by the host's.
double PeerTransfers::Time(const std::vector<Lane>& lanes, PeerMethod method, const std::optional<PeerFault>& fault,
                           std::vector<PeerResult>& results) {
  std::atomic<size_t> ready = 0;
  std::vector<std::exception_ptr> errors(lanes.size());
  std::vector<Clock::time_point> begins(lanes.size());
  std::vector<Clock::time_point> ends(lanes.size());
  const auto work = [&](size_t i) {
    ++ready;
    while (ready < lanes.size()) std::this_thread::yield();
    begins[i] = Clock::now();
    try {
      results[i].seconds = QueueOf(lanes[i].pair, method).Seconds([&] { Move(lanes[i], method, fault); });
    } catch (...) {
      errors[i] = std::current_exception();
    }
    ends[i] = Clock::now();
  };
  for (const Lane& lane : lanes) QueueOf(lane.pair, method);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 1; i < lanes.size(); ++i) threads.emplace_back(work, i);
    work(0);
  }
  for (const std::exception_ptr& error : errors) {
    if (error != nullptr) std::rethrow_exception(error);
  }
  if (lanes.size() == 1) return results[0].seconds;
  return std::chrono::duration<double>(*std::max_element(ends.begin(), ends.end()) -
                                       *std::min_element(begins.begin(), begins.end()))
      .count();
}

std::string PeerTransfers::Check(const Lane& lane, PeerMethod method) {
  const TransferCheck check =
      CheckPattern(*devices_[lane.pair.to], lane.target, lane.bytes, {.written = lane.key, .before = ~lane.key});
  if (check.wrong_vectors == 0) return "";
  std::string problem = absl::StrCat("from GPU ", lane.pair.from, " to GPU ", lane.pair.to, ", by ",
                                     PeerMethodName(method), ": ", check.Problem());
  for (size_t from = 0; from < devices_.size(); ++from) {
    for (size_t to = 0; to < devices_.size(); ++to) {
      const PeerPair other = {from, to};
      if (other == lane.pair) continue;
      const auto index = IndexOfHash({MARCH_HASH, KeyOf(seed_, round_, other), 0, 0}, check.found);
      if (!index || *index * kVectorBytes >= lane.bytes) continue;
      absl::StrAppend(&problem, "; the first came from GPU ", from, "'s memory, where it lies at offset ",
                      *index * kVectorBytes);
    }
  }
  return problem;
}

PeerRound PeerTransfers::Run(const std::vector<PeerPair>& pairs, PeerMethod method,
                             const std::optional<PeerFault>& fault) {
  ++round_;
  const std::vector<Lane> lanes = Lanes(pairs);
  Fill(lanes);
  PeerRound round;
  for (const Lane& lane : lanes) round.results.push_back({.pair = lane.pair, .bytes = lane.bytes});
  round.seconds = Time(lanes, method, fault, round.results);
  for (size_t i = 0; i < lanes.size(); ++i) {
    const Lane& lane = lanes[i];
    if (fault && fault->pair == lane.pair) FlipBit(*devices_[lane.pair.to], lane.target, lane.bytes, fault->transfer);
    round.results[i].problem = Check(lane, method);
  }
  return round;
}

}  // namespace muster::physical
