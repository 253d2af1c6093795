#include "suites/physical/unit_memory.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "suites/physical/memory_march.h"
#include "suites/physical/unit_memory.kernels.h"

namespace muster::physical {
namespace {

// Enough for the kernel to have barriers.
constexpr uint32_t kLeastLocalBytes = 16;
constexpr char kInverse[] = "inverse";

// The names say to PlaceOf() what the words held.
UnitWork WorkOf(const char* kernel, const std::vector<std::string>& elements, uint32_t words, uint32_t group_size) {
  UnitWork work = {.kernel = kernel, .group_size = group_size, .steps = 1};
  for (const std::string& element : elements) {
    work.operations.push_back(element + ", place");
    work.operations.push_back(element + ", digest");
  }
  work.inputs = [words](uint32_t) { return std::vector<uint64_t>{words}; };
  return work;
}

uint64_t SharedDigest(uint32_t element, uint32_t lane, uint32_t lanes, uint32_t words, uint32_t key) {
  UnitReading reading = {0, 0};
  if (!unit_shared_reads(element)) return 0;
  for (uint32_t i = unit_shared_first(element, lane, lanes); i < words; i += lanes) {
    const uint32_t value = unit_word(key, unit_shared_word(element, words, i), (element - 1) & 1);
    unit_read(&reading, i, 0, value, value);
  }
  return reading.digest;
}

uint64_t TagsDigest(uint32_t element, uint32_t lane, uint32_t lanes, uint32_t words, uint32_t key) {
  UnitReading reading = {0, 0};
  for (uint32_t i = lane; i < words; i += lanes) {
    const uint32_t value = unit_word(key, unit_tags_word(element, words, key, i), element >> 1);
    unit_read(&reading, i, 0, value, value);
  }
  return reading.digest;
}

// Places are 0; digests are what the lane should have read.
void Expect(UnitWork& work,
            uint64_t (*digest)(uint32_t element, uint32_t lane, uint32_t lanes, uint32_t words, uint32_t key)) {
  work.expect = [digest](const UnitWork& shape, const std::vector<uint64_t>& inputs, const UnitArguments& arguments) {
    return ExpectByLane(shape, [&](uint32_t operation, uint32_t lane) -> uint64_t {
      if (operation % 2 == 0) return 0;
      return digest(operation / 2, lane, shape.group_size, static_cast<uint32_t>(inputs[0]), arguments.key);
    });
  };
}

}  // namespace

UnitWork SharedMemoryWork(uint32_t local_bytes, uint32_t group_size) {
  UnitWork work =
      WorkOf("unit_shared_memory",
             {"up, write", "up, read", "up, read inverse", "down, read", "down, read inverse", "down, read"},
             local_bytes / 4, group_size);
  work.local_bytes = local_bytes;
  Expect(work, SharedDigest);
  return work;
}

UnitWork CacheTagsWork(uint32_t window_bytes, uint32_t group_size) {
  UnitWork work = WorkOf("unit_cache_tags", {"in order", "jumping", "in order, inverse", "jumping, inverse"},
                         window_bytes / 4, group_size);
  work.local_bytes = kLeastLocalBytes;
  work.scratch_bytes_per_group = window_bytes;
  Expect(work, TagsDigest);
  return work;
}

std::string PlaceOf(const UnitError& error) {
  if (!absl::EndsWith(error.operation, ", place") || error.found >> 32 == 0) return "";
  const auto word = static_cast<uint32_t>((error.found >> 32) - 1);
  const auto bits = static_cast<uint32_t>(error.found);
  const bool inverse = absl::StrContains(error.operation, kInverse);
  const uint32_t value = unit_word(error.key, word, inverse ? 1 : 0) ^ bits;
  const uint32_t owner = UnmixBits(inverse ? ~value : value) - error.key;
  // Chance gives a number as small once in some tens of thousands.
  if (owner < (1u << 17)) return absl::StrCat("word ", word, " holds the value of word ", owner);
  return absl::StrCat("word ", word, " has bits 0x", absl::Hex(bits), " wrong");
}

}  // namespace muster::physical
