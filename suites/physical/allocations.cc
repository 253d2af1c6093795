#include "suites/physical/allocations.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>

#include "absl/strings/str_format.h"
#include "suites/physical/api_calls.h"
#include "suites/physical/march.kernels.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint64_t kMiB = 1ull << 20;
constexpr size_t kMostProblems = 8;

double SecondsOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int64_t MissingSince(ComputeDevice& device, uint64_t free_before) {
  return static_cast<int64_t>(free_before) - static_cast<int64_t>(device.FreeBytes());
}

struct Allocation {
  void* memory = nullptr;  // What the driver gave.
  void* used = nullptr;    // The same, but for an injected overlap.
  uint64_t base = 0;       // Index of its first vector among those of all.
  uint64_t vectors = 0;
  uint64_t bytes() const { return vectors * sizeof(u32x4); }
};

// Mostly small, some of a driver's page sizes, few large.
uint64_t VectorsOf(uint64_t index, uint64_t seed) {
  const u32 random = mix_bits(static_cast<u32>(index * 2654435761u + seed));
  if (index % 1024 == 1023) return kMiB / sizeof(u32x4);
  if (index % 64 == 63) return (64 << 10) / sizeof(u32x4);
  return 1 + random % 256;
}

// All allocations at once, their patterns, and what became of them.
class Crowd {
 public:
  Crowd(ComputeDevice& device, uint64_t seed, SmallAllocationsReport& report)
      : device_(device), seed_(seed), report_(report), errors_(device.Allocate(sizeof(MarchErrors))) {
    if (errors_ == nullptr) throw sdk::ToolError("no memory for the record of errors");
  }
  ~Crowd() {
    FreeAll();
    device_.Free(errors_);
  }

  void Allocate(uint64_t count) {
    all_.reserve(count);
    uint64_t base = 0;
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t vectors = VectorsOf(i, seed_);
      void* const memory = device_.Allocate(vectors * sizeof(u32x4));
      if (memory == nullptr) {
        throw sdk::DeviceFailure(absl::StrFormat("allocation %u of %u, of %u bytes, was refused with %u bytes free",
                                                 i + 1, count, vectors * sizeof(u32x4), device_.FreeBytes()));
      }
      all_.push_back({memory, memory, base, vectors});
      base += vectors;
    }
    report_.allocations = count;
    report_.bytes = base * sizeof(u32x4);
  }

  void Inject(const ApiInjection& injection) {
    const auto number = injection.Of("overlap");
    if (!number.has_value()) return;
    const Allocation& before = Number(*number - 1);
    Allocation& one = Number(*number);
    one.used = before.memory;
    // Nobody else's memory is touched.
    one.vectors = std::min(one.vectors, before.vectors);
  }

  // By the addresses alone.
  void LookForOverlaps() {
    std::vector<const Allocation*> sorted;
    for (const Allocation& one : all_) sorted.push_back(&one);
    std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->used < b->used; });
    for (size_t i = 1; i < sorted.size(); ++i) {
      const Allocation& before = *sorted[i - 1];
      if (static_cast<char*>(before.used) + before.bytes() <= static_cast<char*>(sorted[i]->used)) continue;
      ++report_.overlaps;
      Tell(absl::StrFormat("%s overlaps %s", Name(*sorted[i]), Name(before)));
    }
  }

  void Fill(const ApiInjection& injection) {
    for (const Allocation& one : all_) Launch("march_write", one);
    if (const auto number = injection.Of("corrupt")) {
      const MarchFault fault = {
          .vector = 0, .and_mask = {~0u, ~0u, ~0u, ~0u}, .or_mask = {0, 0, 0, 0}, .xor_mask = {0, 1u << 5, 0, 0}};
      device_.Launch({.kernel = "march_inject",
                      .buffers = {Number(*number).used, errors_},
                      .arguments = &fault,
                      .arguments_size = sizeof(fault)});
    }
  }

  void Verify() {
    device_.Zero(errors_, sizeof(MarchErrors));
    for (const Allocation& one : all_) Launch("march_verify", one);
    MarchErrors errors;
    device_.ReadBack(&errors, errors_, sizeof(errors));
    report_.wrong_vectors = errors.count;
    for (uint64_t i = 0; i < std::min<uint64_t>(errors.recorded, MARCH_RECORDS); ++i) Tell(Describe(errors.records[i]));
  }

  void FreeAll() {
    for (const Allocation& one : all_) device_.Free(one.memory);
    all_.clear();
  }

 private:
  static constexpr uint32_t kGroupSize = 64;

  Allocation& Number(uint64_t number) {
    if (number < 1 || number > all_.size()) throw sdk::ToolError("inject_api: there is no such allocation");
    return all_[number - 1];
  }

  void Launch(const char* kernel, const Allocation& one) {
    const MarchPattern pattern = {MARCH_HASH, static_cast<u32>(seed_), 0, 0};
    const MarchArguments arguments = {
        .vectors = one.vectors, .base = one.base, .expected = pattern, .written = pattern};
    constexpr uint64_t kInGroup = kGroupSize * MARCH_IN_FLIGHT;
    device_.Launch({.kernel = kernel,
                    .groups = (one.vectors + kInGroup - 1) / kInGroup,
                    .group_size = kGroupSize,
                    .buffers = {one.used, errors_},
                    .arguments = &arguments,
                    .arguments_size = sizeof(arguments)});
  }

  std::string Name(const Allocation& one) const {
    return absl::StrFormat("allocation %d (%d bytes at %p)", &one - all_.data() + 1, one.bytes(), one.used);
  }

  std::string Describe(const MarchRecord& record) const {
    const auto after = std::upper_bound(all_.begin(), all_.end(), record.index,
                                        [](uint64_t index, const Allocation& one) { return index < one.base; });
    const Allocation& one = *(after - 1);
    return absl::StrFormat("%s, byte %d: expected %08x %08x %08x %08x, found %08x %08x %08x %08x", Name(one),
                           (record.index - one.base) * sizeof(u32x4), record.expected[0], record.expected[1],
                           record.expected[2], record.expected[3], record.found[0], record.found[1], record.found[2],
                           record.found[3]);
  }

  void Tell(const std::string& problem) {
    if (report_.problems.size() < kMostProblems) report_.problems.push_back(problem);
  }

  ComputeDevice& device_;
  const uint64_t seed_;
  SmallAllocationsReport& report_;
  void* const errors_;
  std::vector<Allocation> all_;
};

// Memory that is freed with its owner.
class Pieces {
 public:
  explicit Pieces(ComputeDevice& device) : device_(device) {}
  ~Pieces() {
    while (!all_.empty()) FreeLast();
  }
  bool Take(uint64_t bytes) {
    void* const memory = device_.Allocate(bytes);
    if (memory == nullptr) return false;
    all_.push_back(memory);
    bytes_ += bytes;
    return true;
  }
  void FreeLast() {
    device_.Free(all_.back());
    all_.pop_back();
  }
  size_t count() const { return all_.size(); }
  uint64_t bytes() const { return bytes_; }

 private:
  ComputeDevice& device_;
  std::vector<void*> all_;
  uint64_t bytes_ = 0;
};

int64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0;
  int64_t resident = 0;
  if (!(file >> all >> resident)) throw sdk::ToolError("cannot read /proc/self/statm");
  return resident * sysconf(_SC_PAGESIZE);
}

// For the self-test: never given back.
void KeepHostMemory(uint64_t bytes) {
  static auto& kept = *new std::vector<std::vector<char>>;
  kept.emplace_back(bytes, 1);
}

// What a program does from its first call to its last; `keep`: but for giving its memory back. Whether the kernel
// computed right. Page-locked memory, which takes longer than all the rest, each sixteenth time.
bool Cycle(ComputeDevice& device, u32 seed, bool keep) {
  const auto queue = device.OpenQueue();
  auto* const words = static_cast<u32*>(device.Allocate(kMiB));
  void* const host = seed % 16 == 0 ? device.AllocateHost(4096) : nullptr;
  if (words == nullptr || (host == nullptr && seed % 16 == 0)) throw sdk::ToolError("no memory for one cycle");
  const bool right = ComputesRight(*queue, words, seed);
  const auto event = queue->Record();
  device.WaitFor(*event);
  queue->Wait();
  device.Wait();
  if (host != nullptr) device.FreeHost(host);
  if (!keep) device.Free(words);
  return right;
}

}  // namespace

SmallAllocationsReport RunSmallAllocations(ComputeDevice& device, uint64_t count, uint64_t seed,
                                           const ApiInjection& injection) {
  SmallAllocationsReport report;
  const uint64_t free_before = device.FreeBytes();
  {
    Crowd crowd(device, seed, report);
    report.allocate_seconds = SecondsOf([&] { crowd.Allocate(count); });
    crowd.Inject(injection);
    crowd.LookForOverlaps();
    crowd.Fill(injection);
    crowd.Verify();
    report.free_seconds = SecondsOf([&] { crowd.FreeAll(); });
  }
  report.bytes_missing = MissingSince(device, free_before);
  return report;
}

ExhaustionReport RunExhaustion(ComputeDevice& device, const ApiInjection& injection) {
  ExhaustionReport report;
  const auto tell = [&](const std::string& problem) { report.problems.push_back(problem); };
  auto* const words = static_cast<u32*>(device.Allocate(kMiB));
  if (words == nullptr) throw sdk::ToolError("no memory for three words");
  if (!ComputesRight(device, words, 1)) tell("a kernel computed wrong before anything was asked for");
  report.free_bytes = device.FreeBytes();
  {
    Pieces pieces(device);
    // More than any device has.
    if (pieces.Take(1ull << 46)) tell("64 TiB were given");
    if (pieces.Take(2 * report.free_bytes)) tell("twice as much as is free was given");
    constexpr uint64_t kSmallest = 2 * kMiB;
    const uint64_t enough = report.free_bytes / 4 * 5;
    for (uint64_t share = 2; report.free_bytes / share >= kSmallest; share *= 2) {
      const uint64_t bytes = report.free_bytes / share / kSmallest * kSmallest;
      while (pieces.bytes() <= enough && pieces.Take(bytes)) {
      }
    }
    if (pieces.bytes() > enough) tell("a quarter more than is free was given");
    report.taken_bytes = pieces.bytes();
    report.pieces = pieces.count();
    if (!ComputesRight(device, words, 2)) tell("with no memory left a kernel computed wrong");
  }
  if (const auto kept = injection.Of("keep")) device.Allocate(*kept * kMiB);
  report.bytes_missing = MissingSince(device, report.free_bytes);
  {
    Pieces again(device);
    if (!again.Take(report.free_bytes / 16))
      tell("a sixteenth of the memory that was free before is not given any more");
  }
  if (!ComputesRight(device, words, 3)) tell("a kernel computed wrong when memory had come back");
  device.Free(words);
  return report;
}

LeakReport RunLeak(ComputeDevice& device, uint64_t cycles, const ApiInjection& injection) {
  // What a driver and the C library set up once they keep.
  constexpr uint64_t kWarmUp = 64;
  LeakReport report;
  for (uint64_t i = 0; i < kWarmUp; ++i) Cycle(device, static_cast<u32>(i), false);
  const uint64_t free_before = device.FreeBytes();
  const int64_t resident_before = ResidentBytes();
  const uint64_t kept = injection.Of("leak").value_or(0);
  report.seconds = SecondsOf([&] {
    for (uint64_t i = 0; i < cycles; ++i) {
      if (!Cycle(device, static_cast<u32>(i), i < kept)) ++report.wrong_values;
    }
  });
  report.cycles = cycles;
  if (const auto mib = injection.Of("leak_host")) KeepHostMemory(*mib * kMiB);
  report.device_bytes_lost = MissingSince(device, free_before);
  report.host_bytes_grown = ResidentBytes() - resident_before;
  return report;
}

}  // namespace muster::physical
