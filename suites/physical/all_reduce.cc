#include "suites/physical/all_reduce.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "suites/physical/all_reduce.kernels.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint32_t kGroupSize = 512;
constexpr uint64_t kWordBytes = sizeof(u32);
constexpr uint64_t kMostGroups = 1 << 14;

uint64_t GroupsFor(uint64_t words) {
  return std::clamp<uint64_t>((words + kGroupSize - 1) / kGroupSize, 1, kMostGroups);
}

char* At(void* memory, uint64_t word) { return static_cast<char*>(memory) + word * kWordBytes; }

class RingReducer final : public Reducer {
 public:
  explicit RingReducer(std::vector<ComputeDevice*> devices) : devices_(std::move(devices)) {
    for (size_t i = 0; i < devices_.size(); ++i) {
      if (devices_[i]->ReachPeer(*devices_[Left(i)])) continue;
      throw sdk::DeviceSkipped(absl::StrCat("GPU ", i, " does not reach GPU ", Left(i), "'s memory"));
    }
  }
  std::string Name() const override { return "ring over peer memory"; }

  void Add(ReduceType type, const std::vector<void*>& given, const std::vector<void*>& sums, uint64_t bytes) override {
    const uint64_t words = bytes / kWordBytes;
    const size_t count = devices_.size();
    for (size_t i = 0; i < count; ++i) devices_[i]->Copy(sums[i], given[i], bytes);
    Meet();
    for (size_t step = 0; step + 1 < count; ++step) {
      for (size_t i = 0; i < count; ++i) {
        const Piece piece = PieceOf((i + 2 * count - 1 - step) % count, words);
        if (piece.words == 0) continue;
        const ReduceArguments arguments = {.words = piece.words, .type = static_cast<u32>(type)};
        devices_[i]->Launch({.kernel = "reduce_add",
                             .groups = GroupsFor(piece.words),
                             .group_size = kGroupSize,
                             .buffers = {At(sums[i], piece.first), At(sums[Left(i)], piece.first)},
                             .arguments = &arguments,
                             .arguments_size = sizeof(arguments)});
      }
      Meet();
    }
    for (size_t step = 0; step + 1 < count; ++step) {
      for (size_t i = 0; i < count; ++i) {
        const Piece piece = PieceOf((i + count - step) % count, words);
        if (piece.words == 0) continue;
        devices_[i]->Copy(At(sums[i], piece.first), At(sums[Left(i)], piece.first), piece.words * kWordBytes);
      }
      Meet();
    }
  }

 private:
  struct Piece {
    uint64_t first;
    uint64_t words;
  };
  // The words in as many pieces as there are devices.
  Piece PieceOf(size_t piece, uint64_t words) const {
    const uint64_t first = words * piece / devices_.size();
    return {first, words * (piece + 1) / devices_.size() - first};
  }
  size_t Left(size_t device) const { return (device + devices_.size() - 1) % devices_.size(); }
  void Meet() {
    for (ComputeDevice* device : devices_) device->Wait();
  }

  const std::vector<ComputeDevice*> devices_;
};

}  // namespace

const char* ReduceTypeName(ReduceType type) {
  static constexpr const char* kNames[] = {"int32", "fp32", "bf16"};
  return kNames[static_cast<int>(type)];
}

std::unique_ptr<Reducer> MakeRingReducer(std::vector<ComputeDevice*> devices) {
  return std::make_unique<RingReducer>(std::move(devices));
}

std::optional<ReduceFault> ParseReduceFault(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  ReduceFault fault = {.left_out = parts[0] == "lacks"};
  const bool good = parts.size() == (fault.left_out ? 3u : 4u) && (fault.left_out || parts[0] == "flip") &&
                    absl::SimpleAtoi(parts[1], &fault.device) && absl::SimpleAtoi(parts[2], &fault.word) &&
                    (fault.left_out || (absl::SimpleAtoi(parts[3], &fault.bit) && fault.bit < 32));
  if (good) return fault;
  throw sdk::ToolError(
      absl::StrCat("inject_reduce: expected lacks:DEVICE:WORD or flip:DEVICE:WORD:BIT, found '", text, "'"));
}

AllReduce::AllReduce(std::vector<ComputeDevice*> devices, Reducer& reducer, uint64_t bytes, uint64_t seed)
    : devices_(std::move(devices)),
      reducer_(reducer),
      bytes_(bytes),
      key_(mix_bits(static_cast<u32>(seed ^ (seed >> 32)))) {
  if (devices_.size() > REDUCE_MOST_DEVICES) {
    throw sdk::DeviceSkipped(
        absl::StrCat("sums are exact for at most ", REDUCE_MOST_DEVICES, " devices, there are ", devices_.size()));
  }
  for (ComputeDevice* device : devices_) {
    for (std::vector<void*>* list : {&given_, &sums_}) {
      memory_.push_back(std::make_unique<DeviceMemory>(*device, bytes));
      list->push_back(memory_.back()->data());
    }
  }
}

void AllReduce::Launch(size_t device, const char* kernel, std::vector<void*> buffers, uint64_t bytes, ReduceType type) {
  const ReduceArguments arguments = {.words = bytes / kWordBytes,
                                     .type = static_cast<u32>(type),
                                     .key = key_,
                                     .device = static_cast<u32>(device),
                                     .devices = static_cast<u32>(devices_.size())};
  devices_[device]->Launch({.kernel = kernel,
                            .groups = GroupsFor(arguments.words),
                            .group_size = kGroupSize,
                            .buffers = std::move(buffers),
                            .arguments = &arguments,
                            .arguments_size = sizeof(arguments)});
}

std::string AllReduce::Check(size_t device, uint64_t bytes, ReduceType type) {
  const DeviceMemory on_device(*devices_[device], sizeof(ReduceErrors));
  devices_[device]->Zero(on_device.data(), sizeof(ReduceErrors));
  Launch(device, "reduce_verify", {sums_[device], on_device.data()}, bytes, type);
  ReduceErrors errors;
  devices_[device]->ReadBack(&errors, on_device.data(), sizeof(errors));
  if (errors.count == 0) return "";
  const auto recorded = static_cast<size_t>(std::min<uint64_t>(errors.recorded, REDUCE_RECORDS));
  const size_t first = std::min_element(errors.word, errors.word + recorded) - errors.word;
  const uint64_t word = errors.word[first];
  std::string problem =
      absl::StrCat("GPU ", device, ", sums of ", ReduceTypeName(type), ": ", errors.count, " of ", bytes / kWordBytes,
                   " words are wrong; word ", word, " at offset 0x", absl::Hex(word * kWordBytes), ": expected 0x",
                   absl::Hex(errors.expected[first], absl::kZeroPad8), ", found 0x",
                   absl::Hex(errors.found[first], absl::kZeroPad8));
  const ReduceArguments arguments = {
      .type = static_cast<u32>(type), .key = key_, .devices = static_cast<u32>(devices_.size())};
  for (u32 other = 0; other < devices_.size(); ++other) {
    if (reduce_sum_word(word, other, arguments) == errors.found[first])
      absl::StrAppend(&problem, "; it lacks what GPU ", other, " gave");
  }
  return problem;
}

ReduceReport AllReduce::Run(ReduceType type, uint64_t bytes, int times, const std::optional<ReduceFault>& fault) {
  if (bytes > bytes_) throw sdk::ToolError("an all-reduce of more than there is memory for");
  if (fault && (fault->device >= devices_.size() || (fault->word + 1) * kWordBytes > bytes))
    throw sdk::ToolError("inject_reduce: no such device or word");
  key_ = mix_bits(key_);
  for (size_t i = 0; i < devices_.size(); ++i) {
    Launch(i, "reduce_fill", {given_[i]}, bytes, type);
    devices_[i]->Zero(sums_[i], bytes);
    const u32 nothing = 0;
    if (fault && fault->left_out && fault->device == i) devices_[i]->Copy(At(given_[i], fault->word), &nothing, 4);
    devices_[i]->Wait();
  }
  ReduceReport report;
  report.seconds = devices_[0]->Seconds([&] {
    for (int i = 0; i < times; ++i) reducer_.Add(type, given_, sums_, bytes);
  });
  report.seconds /= times;
  for (ComputeDevice* device : devices_) device->Wait();
  for (size_t i = 0; i < devices_.size(); ++i) {
    if (fault && !fault->left_out && fault->device == i) {
      u32 word = 0;
      devices_[i]->ReadBack(&word, At(sums_[i], fault->word), 4);
      word ^= 1u << fault->bit;
      devices_[i]->Copy(At(sums_[i], fault->word), &word, 4);
    }
    std::string problem = Check(i, bytes, type);
    if (!problem.empty()) report.problems.push_back(std::move(problem));
  }
  return report;
}

}  // namespace muster::physical
