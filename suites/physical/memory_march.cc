#include "suites/physical/memory_march.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "suites/physical/device_memory.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint32_t kGroupSize = 512;
constexpr uint64_t kVectorBytes = 16;
constexpr uint64_t kGrain = 2ull << 20;  // Of allocations.
constexpr size_t kMaxErrors = 64;
// Bank and row strides of HBM and GDDR, and a step between, in vectors of 16 bytes: 256 B, 2 KiB, 16 KiB, 1 MiB.
constexpr uint32_t kCheckerShifts[] = {4, 7, 10, 16};

class StepList {
 public:
  void Add(const std::string& name, MarchElement element, const MarchPattern& expected, const MarchPattern& written,
           bool descending = false, bool mirrored = false) {
    steps_.push_back({name, element, expected, written, descending, mirrored});
  }
  void Hold(double seconds) {
    steps_.push_back(
        {.name = absl::StrCat("hold ", seconds, " s"), .element = MarchElement::kHold, .hold_seconds = seconds});
  }

  void MarchC(const std::string& name, const MarchPattern& zero) {
    const MarchPattern one = Inverse(zero);
    Add(name + ": up, write 0", MarchElement::kWrite, {}, zero);
    Add(name + ": up, read 0, write 1", MarchElement::kVerifyWrite, zero, one);
    Add(name + ": up, read 1, write 0", MarchElement::kVerifyWrite, one, zero);
    Add(name + ": down, read 0, write 1", MarchElement::kVerifyWrite, zero, one, true);
    Add(name + ": down, read 1, write 0", MarchElement::kVerifyWrite, one, zero, true);
    Add(name + ": down, read 0", MarchElement::kVerify, zero, {}, true);
  }
  // The pattern and its inverse.
  void Both(const std::string& name, const MarchPattern& pattern) {
    Add(name + ": up, write", MarchElement::kWrite, {}, pattern);
    Add(name + ": up, read, write inverse", MarchElement::kVerifyWrite, pattern, Inverse(pattern));
    Add(name + ": down, read inverse", MarchElement::kVerify, Inverse(pattern), {}, true);
  }
  void Mirror(const std::string& name, const MarchPattern& pattern) {
    Add(name + ": up, write", MarchElement::kWrite, {}, pattern);
    Add(name + ": mirror", MarchElement::kMirror, {}, {});
    Add(name + ": down, read mirrored", MarchElement::kVerify, pattern, {}, true, true);
  }
  void Retain(const std::string& name, const MarchPattern& pattern, double seconds) {
    for (const MarchPattern& held : {pattern, Inverse(pattern)}) {
      Add(name + ": up, write", MarchElement::kWrite, {}, held);
      Hold(seconds);
      Add(name + ": up, read", MarchElement::kVerify, held, {});
    }
  }

  static MarchPattern Inverse(MarchPattern pattern) {
    pattern.inverted = pattern.inverted == 0 ? 1 : 0;
    return pattern;
  }
  std::vector<MarchStep> Take() { return std::move(steps_); }

 private:
  std::vector<MarchStep> steps_;
};

uint32_t Key(uint64_t seed, uint32_t round) {
  return mix_bits(static_cast<u32>(seed) ^ mix_bits(static_cast<u32>(seed >> 32) + round));
}
MarchPattern Hash(uint64_t seed, uint32_t round) { return {MARCH_HASH, Key(seed, round), 0, 0}; }

// Memory of the device in as few pieces as it gives, freed with the object.
class Memory {
 public:
  Memory(ComputeDevice& device, uint64_t bytes) : device_(device) {
    uint64_t piece = bytes / kGrain * kGrain;
    while (piece >= kGrain && bytes_ < bytes) {
      piece = std::min(piece, (bytes - bytes_) / kGrain * kGrain);
      if (piece < kGrain) break;
      if (void* memory = device_.Allocate(piece); memory != nullptr) {
        pieces_.push_back({memory, piece / kVectorBytes, bytes_ / kVectorBytes});
        bytes_ += piece;
      } else {
        piece = piece * 63 / 64 / kGrain * kGrain;
      }
    }
  }
  ~Memory() {
    for (const Piece& piece : pieces_) device_.Free(piece.memory);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  struct Piece {
    void* memory;
    uint64_t vectors;
    uint64_t base;
  };
  const std::vector<Piece>& pieces() const { return pieces_; }
  uint64_t bytes() const { return bytes_; }

 private:
  ComputeDevice& device_;
  std::vector<Piece> pieces_;
  uint64_t bytes_ = 0;
};

const char* KernelOf(MarchElement element) {
  switch (element) {
    case MarchElement::kWrite:
      return "march_write";
    case MarchElement::kVerify:
      return "march_verify";
    case MarchElement::kVerifyWrite:
      return "march_verify_write";
    case MarchElement::kMirror:
      return "march_mirror";
    case MarchElement::kHold:
      break;
  }
  return nullptr;
}

bool Writes(MarchElement element) { return element != MarchElement::kVerify && element != MarchElement::kHold; }
double BytesMoved(MarchElement element, uint64_t bytes) {
  const bool both = element == MarchElement::kVerifyWrite || element == MarchElement::kMirror;
  return (both ? 2.0 : 1.0) * static_cast<double>(bytes);
}

class March {
 public:
  March(ComputeDevice& device, const MarchOptions& options)
      : device_(device), options_(options), errors_(device, sizeof(MarchErrors)), memory_(device, Wanted()) {
    if (memory_.bytes() == 0) {
      throw sdk::ToolError(absl::StrCat("expected free memory on the device to test, found ", device.FreeBytes(),
                                        " bytes; end what else uses the GPU"));
    }
  }

  MarchReport Run() {
    report_.bytes_tested = memory_.bytes();
    for (const MarchStep& step : MarchSteps(options_.level, options_.seed)) {
      if (step.element == MarchElement::kHold) {
        std::this_thread::sleep_for(std::chrono::duration<double>(step.hold_seconds));
        continue;
      }
      device_.Zero(errors_.data(), sizeof(MarchErrors));
      const double seconds = device_.Seconds([&] { Queue(step); });
      const double moved = BytesMoved(step.element, memory_.bytes());
      report_.seconds += seconds;
      report_.bytes_moved += moved;
      if (seconds > 0) report_.rates.push_back({step.element, step.name, moved / seconds});
      if (Writes(step.element)) Inject();
      if (!Clean(step)) break;
    }
    return std::move(report_);
  }

 private:
  uint64_t Wanted() const {
    const uint64_t free = device_.FreeBytes();
    // Of a small memory a share.
    const uint64_t spare = std::min(options_.spare_bytes, free / 32);
    const uint64_t usable = free - spare;
    return options_.limit_bytes == 0 ? usable : std::min(usable, options_.limit_bytes);
  }

  void Queue(const MarchStep& step) {
    for (const Memory::Piece& piece : memory_.pieces()) {
      MarchArguments arguments = {};
      arguments.vectors = piece.vectors;
      arguments.base = piece.base;
      arguments.descending = step.descending ? 1 : 0;
      arguments.mirrored = step.mirrored ? 1 : 0;
      arguments.expected = step.expected;
      arguments.written = step.written;
      if (options_.fault && options_.fault->kind == InjectedFault::Kind::kAliasedAddresses) {
        arguments.alias_mask = options_.fault->vector;
      }
      const uint64_t walked = step.element == MarchElement::kMirror ? piece.vectors / 2 : piece.vectors;
      const uint64_t of_group = uint64_t{kGroupSize} * MARCH_IN_FLIGHT;
      device_.Launch({.kernel = KernelOf(step.element),
                      .groups = (walked + of_group - 1) / of_group,
                      .group_size = kGroupSize,
                      .buffers = {piece.memory, errors_.data()},
                      .arguments = &arguments,
                      .arguments_size = sizeof(arguments)});
    }
  }

  void Inject() {
    if (!options_.fault || options_.fault->kind == InjectedFault::Kind::kAliasedAddresses) return;
    const InjectedFault& fault = *options_.fault;
    if (fault.kind == InjectedFault::Kind::kFlippedBit && std::exchange(flipped_, true)) return;
    const Memory::Piece& piece = memory_.pieces().front();
    if (fault.vector >= piece.vectors || fault.bit > 127) {
      throw sdk::ToolError(absl::StrCat("inject: expected a vector below ", piece.vectors,
                                        " and a bit below 128, found ", fault.vector, " and ", fault.bit));
    }
    MarchFault masks = {.vector = fault.vector, .and_mask = {~0u, ~0u, ~0u, ~0u}};
    const u32 mask = 1u << (fault.bit % 32);
    if (fault.kind == InjectedFault::Kind::kFlippedBit) masks.xor_mask[fault.bit / 32] = mask;
    if (fault.kind == InjectedFault::Kind::kStuckAtOne) masks.or_mask[fault.bit / 32] = mask;
    if (fault.kind == InjectedFault::Kind::kStuckAtZero) masks.and_mask[fault.bit / 32] = ~mask;
    device_.Launch({.kernel = "march_inject",
                    .buffers = {piece.memory, errors_.data()},
                    .arguments = &masks,
                    .arguments_size = sizeof(masks)});
  }

  // Keeps what the step found wrong.
  bool Clean(const MarchStep& step) {
    const auto seen = std::make_unique<MarchErrors>();
    device_.ReadBack(seen.get(), errors_.data(), sizeof(MarchErrors));
    report_.wrong_vectors += seen->count;
    const uint64_t records = std::min<uint64_t>(seen->recorded, MARCH_RECORDS);
    for (uint64_t i = 0; i < records && report_.errors.size() < kMaxErrors; ++i) {
      const MarchRecord& record = seen->records[i];
      MarchError error{.step = step.name, .offset_bytes = record.index * kVectorBytes};
      std::copy_n(record.expected, 4, error.expected.begin());
      std::copy_n(record.found, 4, error.found.begin());
      std::copy_n(record.again, 4, error.again.begin());
      // In the walk's numbering; with mirrored vectors the place is another.
      const auto owner = step.mirrored ? std::nullopt : IndexOfHash(step.expected, error.found);
      if (owner && *owner < memory_.bytes() / kVectorBytes) error.owner_offset_bytes = *owner * kVectorBytes;
      report_.errors.push_back(error);
    }
    std::sort(report_.errors.begin(), report_.errors.end(),
              [](const MarchError& a, const MarchError& b) { return a.offset_bytes < b.offset_bytes; });
    return seen->count == 0;
  }

  ComputeDevice& device_;
  const MarchOptions options_;
  const DeviceMemory errors_;
  Memory memory_;
  MarchReport report_;
  bool flipped_ = false;
};

std::string Hex(const std::array<uint32_t, 4>& words) {
  std::string text = "0x";
  for (size_t i = 4; i-- > 0;) absl::StrAppend(&text, absl::Hex(words[i], absl::kZeroPad8));
  return text;
}

// The inverse of an odd number modulo 2^32, by Newton's iteration.
uint32_t Inverse(uint32_t odd) {
  uint32_t inverse = odd;
  for (int i = 0; i < 5; ++i) inverse *= 2 - odd * inverse;
  return inverse;
}

uint64_t ParseNumber(const std::string& text, const std::string& whole) {
  uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) {
    throw sdk::ToolError(absl::StrCat("inject: expected a number, found '", text, "' in '", whole, "'"));
  }
  return number;
}

}  // namespace

uint32_t UnmixBits(uint32_t x) {
  x ^= x >> 16;
  x *= Inverse(0x846ca68bu);
  x ^= (x >> 15) ^ (x >> 30);
  x *= Inverse(0x7feb352du);
  return x ^ (x >> 16);
}

std::vector<MarchStep> MarchSteps(int level, uint64_t seed) {
  StepList list;
  if (level <= 1) {
    list.Both("hash", Hash(seed, 0));
    return list.Take();
  }
  const uint32_t rounds = level == 2 ? 1 : level == 3 ? 8 : 64;
  for (uint32_t round = 0; round < rounds; ++round) {
    list.MarchC(absl::StrCat("hash ", round), Hash(seed, round));
    list.Mirror(absl::StrCat("move ", round), Hash(seed, 1000 + round));
  }
  for (const uint32_t shift : kCheckerShifts) {
    list.Both(absl::StrCat("checkerboard of ", kVectorBytes << shift, " B"), {MARCH_CHECKER, 0x55555555u, shift, 0});
  }
  list.Both("solid", {MARCH_SOLID, 0, 0, 0});
  const uint32_t walks = level == 2 ? 1 : 32;
  for (uint32_t walk = 0; walk < walks; ++walk)
    list.Both(absl::StrCat("walking bit ", walk), {MARCH_WALK, 1u << walk, 0, 0});
  list.Retain("retention", Hash(seed, 2000), level == 2 ? 0.25 : level == 3 ? 5 : 60);
  return list.Take();
}

std::optional<InjectedFault> ParseFault(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  InjectedFault fault;
  if (parts[0] == "alias" && parts.size() == 2) {
    fault.kind = InjectedFault::Kind::kAliasedAddresses;
    fault.vector = ParseNumber(parts[1], text);
    return fault;
  }
  const struct {
    const char* name;
    InjectedFault::Kind kind;
  } kinds[] = {{"flip", InjectedFault::Kind::kFlippedBit},
               {"stuck1", InjectedFault::Kind::kStuckAtOne},
               {"stuck0", InjectedFault::Kind::kStuckAtZero}};
  for (const auto& [name, kind] : kinds) {
    if (parts[0] != name || parts.size() != 3) continue;
    fault.kind = kind;
    fault.vector = ParseNumber(parts[1], text);
    fault.bit = static_cast<uint32_t>(std::min<uint64_t>(ParseNumber(parts[2], text), 1000));
    return fault;
  }
  throw sdk::ToolError(absl::StrCat(
      "inject: expected flip:VECTOR:BIT, stuck1:VECTOR:BIT, stuck0:VECTOR:BIT or alias:VECTORS, found '", text, "'"));
}

std::optional<uint64_t> IndexOfHash(const MarchPattern& pattern, const std::array<uint32_t, 4>& value) {
  if (pattern.kind != MARCH_HASH) return std::nullopt;
  const uint32_t turn_over = pattern.inverted != 0 ? ~0u : 0u;
  const uint32_t x = value[0] ^ turn_over;
  const uint32_t y = value[1] ^ turn_over;
  const uint64_t low = UnmixBits(x) ^ pattern.key;
  const uint64_t high = (y - march_turn(x, 13) - pattern.key) * Inverse(0x9e3779b1u);
  const uint64_t index = high << 32 | low;
  const u32x4 again = march_value(index, pattern);
  const bool same = again.x == value[0] && again.y == value[1] && again.z == value[2] && again.w == value[3];
  return same ? std::optional<uint64_t>(index) : std::nullopt;
}

std::string MarchError::Describe() const {
  std::array<uint32_t, 4> differing;
  for (size_t i = 0; i < 4; ++i) differing[i] = expected[i] ^ found[i];
  const char* again_text = again == found      ? "the second reading, past the caches, agrees with the first"
                           : again == expected ? "the second reading, past the caches, is right"
                                               : "the second reading, past the caches, is another";
  return absl::StrCat("offset 0x", absl::Hex(offset_bytes), ": expected ", Hex(expected), ", found ", Hex(found),
                      ", read again ", Hex(again), ", differing bits ", Hex(differing), " (", again_text,
                      "), in step \"", step, "\"");
}

MarchReport MarchMemory(ComputeDevice& device, const MarchOptions& options) { return March(device, options).Run(); }

double CopyBandwidth(ComputeDevice& device, uint64_t bytes) {
  const uint64_t half = bytes / 2 / kGrain * kGrain;
  const Memory memory(device, 2 * half);
  if (half == 0 || memory.pieces().size() != 1) throw sdk::ToolError("there is no memory for a copy to compare with");
  char* const data = static_cast<char*>(memory.pieces().front().memory);
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const double seconds = device.Seconds([&] { device.Copy(data, data + half, half); });
    if (seconds > 0) best = std::max(best, 2.0 * static_cast<double>(half) / seconds);
  }
  return best;
}

}  // namespace muster::physical
