#include "suites/physical/stream.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/memory_march.h"
#include "suites/physical/stream.kernels.h"
#include "suites/physical/stream_repeat.h"
#include "suites/physical/transfer_pattern.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/timing.h"

namespace muster::physical {
namespace {

constexpr uint64_t kVectorBytes = 16;
constexpr uint32_t kGroupSize = 512;
constexpr uint32_t kKey = 0x73747265;
// At least so many, and none of more tiles: the groups at work at one time would add to the same sums.
constexpr uint64_t kRegions = 1024;
constexpr uint64_t kMostTiles = 64;

char* At(void* memory, uint64_t offset) { return static_cast<char*>(memory) + offset; }

uint64_t GroupsFor(uint64_t vectors, uint64_t of_group = kGroupSize) { return (vectors + of_group - 1) / of_group; }

uint64_t Vectors(uint64_t bytes) {
  if (bytes % kVectorBytes != 0) {
    throw sdk::ToolError("inject_transfer: expected a multiple of 16 bytes where a kernel moves the data");
  }
  return bytes / kVectorBytes;
}

StreamArguments Piece(uint64_t to, uint64_t from, uint64_t bytes, uint32_t key = 0) {
  return {.vectors = Vectors(bytes), .to = Vectors(to), .from = Vectors(from), .key = key};
}

void LaunchStream(ComputeDevice& device, const char* kernel, uint64_t groups, std::vector<void*> buffers,
                  const StreamArguments& arguments) {
  device.Launch({.kernel = kernel,
                 .groups = groups,
                 .group_size = kGroupSize,
                 .buffers = std::move(buffers),
                 .arguments = &arguments,
                 .arguments_size = sizeof(arguments)});
}

// The copy of one buffer into another, by whichever way.
class CopyBuffers {
 public:
  CopyBuffers(ComputeDevice& device, const StreamOptions& options)
      : device_(device), options_(options), from_(device, options.bytes), to_(device, options.bytes) {}

  StreamReport Run(const MovePiece& move) {
    return RepeatTransfer(
        device_, options_, 2 * options_.bytes,
        {.prepare =
             [this](uint32_t repeat) {
               FillPattern(device_, from_.data(), options_.bytes, Keys(repeat).written);
               FillPattern(device_, to_.data(), options_.bytes, Keys(repeat).before);
             },
         .move = [&move](uint32_t, uint64_t to, uint64_t from, uint64_t bytes) { move(to, from, bytes); },
         .flip = [this] { FlipBit(device_, to_.data(), options_.bytes, options_.fault); },
         .problem =
             [this](uint32_t repeat) {
               return CheckPattern(device_, to_.data(), options_.bytes, Keys(repeat)).Problem();
             }});
  }

  void* from() { return from_.data(); }
  void* to() { return to_.data(); }

 private:
  static TransferKeys Keys(uint32_t repeat) { return {.written = kKey + 2 * repeat, .before = kKey + 2 * repeat + 1}; }

  ComputeDevice& device_;
  const StreamOptions& options_;
  DeviceMemory from_;
  DeviceMemory to_;
};

// Reads data, and keeps the sums of it by region.
class RegionReader {
 public:
  RegionReader(ComputeDevice& device, uint64_t bytes)
      : device_(device),
        tiles_(GroupsFor(Vectors(bytes), STREAM_TILE)),
        region_(std::min(GroupsFor(tiles_, kRegions), kMostTiles)),
        sums_(device, GroupsFor(tiles_, region_) * STREAM_SUMS * sizeof(u64)) {}

  void Zero() { device_.Zero(sums_.data(), sums_.bytes()); }
  void Read(void* data, StreamArguments piece) {
    const uint64_t end = piece.to + piece.vectors;
    const uint64_t tiles = GroupsFor(end, STREAM_TILE) - piece.to / STREAM_TILE;
    Launch("stream_read", tiles, {data, sums_.data()}, piece, STREAM_READ_GROUP * sizeof(u64));
  }
  // What Read() adds for all of the pattern.
  void Expect(const StreamArguments& whole) { Launch("stream_expect", tiles_, {sums_.data()}, whole, 0); }
  std::vector<u64> Sums() {
    std::vector<u64> all(sums_.bytes() / sizeof(u64));
    device_.ReadBack(all.data(), sums_.data(), sums_.bytes());
    std::vector<u64> sums(all.size() / STREAM_SUMS);
    for (size_t i = 0; i < all.size(); ++i) sums[i / STREAM_SUMS] += all[i];
    return sums;
  }
  uint64_t region_bytes() const { return region_ * STREAM_TILE * kVectorBytes; }

 private:
  void Launch(const char* kernel, uint64_t groups, std::vector<void*> buffers, StreamArguments arguments,
              uint32_t local_bytes) {
    arguments.region = region_;
    device_.Launch({.kernel = kernel,
                    .groups = groups,
                    .group_size = STREAM_READ_GROUP,
                    .buffers = std::move(buffers),
                    .arguments = &arguments,
                    .arguments_size = sizeof(arguments),
                    .local_bytes = local_bytes});
  }

  ComputeDevice& device_;
  const uint64_t tiles_;
  const uint64_t region_;  // In tiles.
  DeviceMemory sums_;
};

// "the sums of 2 of 1024 regions are wrong, …"; empty when none is.
std::string DifferingRegions(const std::vector<u64>& expected, const std::vector<u64>& found, uint64_t region_bytes) {
  size_t wrong = 0;
  size_t first = 0;
  for (size_t i = expected.size(); i-- > 0;) {
    if (expected[i] == found[i]) continue;
    ++wrong;
    first = i;
  }
  if (wrong == 0) return "";
  return absl::StrCat("the sums of ", wrong, " of ", expected.size(), " regions are wrong, the first from offset 0x",
                      absl::Hex(first * region_bytes), " to 0x", absl::Hex((first + 1) * region_bytes - 1),
                      ": expected 0x", absl::Hex(expected[first]), ", found 0x", absl::Hex(found[first]));
}

}  // namespace

double StreamReport::MedianRate() const {
  const double median = sdk::Median(seconds);
  return median > 0 ? static_cast<double>(bytes) / median : 0;
}

StreamReport StreamCopyByDriver(ComputeDevice& device, const StreamOptions& options) {
  CopyBuffers buffers(device, options);
  return buffers.Run([&](uint64_t to, uint64_t from, uint64_t bytes) {
    device.Copy(At(buffers.to(), to), At(buffers.from(), from), bytes);
  });
}

StreamReport StreamCopyByKernel(ComputeDevice& device, const StreamOptions& options) {
  CopyBuffers buffers(device, options);
  return buffers.Run([&](uint64_t to, uint64_t from, uint64_t bytes) {
    const StreamArguments piece = Piece(to, from, bytes);
    LaunchStream(device, "stream_copy", GroupsFor(piece.vectors), {buffers.to(), buffers.from()}, piece);
  });
}

StreamReport StreamRead(ComputeDevice& device, const StreamOptions& options) {
  const DeviceMemory data(device, options.bytes);
  const StreamArguments whole = Piece(0, 0, options.bytes, kKey);
  RegionReader reader(device, options.bytes);
  reader.Zero();
  reader.Expect(whole);
  std::vector<u64> sums = reader.Sums();
  if (options.fault && options.fault->kind == TransferFault::Kind::kSlow) {
    for (u64& sum : sums) sum *= options.fault->amount;
  }
  FillPattern(device, data.data(), options.bytes, kKey);
  FlipBit(device, data.data(), options.bytes, options.fault);
  return RepeatTransfer(
      device, options, options.bytes,
      {.prepare =
           [&](uint32_t) {
             // The device is at work while the host queues what is timed.
             reader.Read(data.data(), whole);
             reader.Zero();
           },
       .move = [&](uint32_t, uint64_t to, uint64_t from,
                   uint64_t bytes) { reader.Read(data.data(), Piece(to, from, bytes)); },
       .flip = [] {},
       .problem = [&](uint32_t) -> std::string {
         const std::string problem = DifferingRegions(sums, reader.Sums(), reader.region_bytes());
         if (problem.empty()) return "";
         const std::string in_memory =
             CheckPattern(device, data.data(), options.bytes, {.written = kKey, .before = 0}).Problem();
         return absl::StrCat(problem, "; ", in_memory.empty() ? "a second reading finds all of it right" : in_memory);
       }});
}

StreamReport StreamWrite(ComputeDevice& device, const StreamOptions& options) {
  const DeviceMemory data(device, options.bytes);
  const auto keys = [](uint32_t repeat) { return TransferKeys{.written = kKey + repeat, .before = kKey + repeat - 1}; };
  FillPattern(device, data.data(), options.bytes, keys(0).before);
  return RepeatTransfer(
      device, options, options.bytes,
      {.prepare = [](uint32_t) {},
       .move =
           [&](uint32_t repeat, uint64_t to, uint64_t from, uint64_t bytes) {
             const MarchArguments arguments = {
                 .vectors = Vectors(bytes), .base = Vectors(from), .written = {MARCH_HASH, keys(repeat).written, 0, 0}};
             Vectors(to);
             device.Launch({.kernel = "march_write",
                            .groups = GroupsFor(arguments.vectors, uint64_t{kGroupSize} * MARCH_IN_FLIGHT),
                            .group_size = kGroupSize,
                            .buffers = {At(data.data(), to), data.data()},
                            .arguments = &arguments,
                            .arguments_size = sizeof(arguments)});
           },
       .flip = [&] { FlipBit(device, data.data(), options.bytes, options.fault); },
       .problem =
           [&](uint32_t repeat) { return CheckPattern(device, data.data(), options.bytes, keys(repeat)).Problem(); }});
}

StreamReport StreamTriad(ComputeDevice& device, const StreamOptions& options) {
  const DeviceMemory a(device, options.bytes);
  const DeviceMemory b(device, options.bytes);
  const DeviceMemory c(device, options.bytes);
  const StreamArguments whole = Piece(0, 0, options.bytes, kKey);
  LaunchStream(device, "stream_triad_fill", GroupsFor(whole.vectors), {b.data(), c.data()}, whole);
  const auto verify = [&](uint64_t first, uint64_t vectors, void* errors) {
    LaunchStream(device, "stream_triad_verify", GroupsFor(vectors), {a.data(), errors},
                 {.vectors = vectors, .to = first, .key = kKey});
  };
  return RepeatTransfer(
      device, options, 3 * options.bytes,
      {.prepare = [&](uint32_t) { FillPattern(device, a.data(), options.bytes, kKey); },
       .move =
           [&](uint32_t, uint64_t to, uint64_t from, uint64_t bytes) {
             const StreamArguments piece = Piece(to, from, bytes);
             LaunchStream(device, "stream_triad", GroupsFor(piece.vectors), {a.data(), b.data(), c.data()}, piece);
           },
       .flip = [&] { FlipBit(device, a.data(), options.bytes, options.fault); },
       .problem =
           [&](uint32_t) {
             TransferCheck check = CheckByKernel(device, whole.vectors, verify);
             check.old = IndexOfHash({MARCH_HASH, kKey, 0, 0}, check.found) == check.first_offset / kVectorBytes;
             return check.Problem();
           }});
}

}  // namespace muster::physical
