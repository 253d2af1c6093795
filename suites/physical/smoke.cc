#include "suites/physical/smoke.h"

#include <cstring>
#include <vector>

#include "absl/strings/str_format.h"
#include "suites/physical/march.kernels.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint32_t kGroupSize = 256;

MarchArguments ArgumentsOf(uint64_t vectors, uint32_t key) {
  const MarchPattern pattern = {MARCH_HASH, key, 0, 0};
  return {.vectors = vectors, .expected = pattern, .written = pattern};
}

void Go(ComputeDevice& device, const char* kernel, void* data, void* errors, const MarchArguments& arguments) {
  constexpr uint64_t kInGroup = kGroupSize * MARCH_IN_FLIGHT;
  device.Launch({.kernel = kernel,
                 .groups = (arguments.vectors + kInGroup - 1) / kInGroup,
                 .group_size = kGroupSize,
                 .buffers = {data, errors},
                 .arguments = &arguments,
                 .arguments_size = sizeof(arguments)});
}

void* Need(void* memory, uint64_t bytes) {
  if (memory == nullptr) throw sdk::ToolError(absl::StrFormat("no memory for %d bytes", bytes));
  return memory;
}

std::string Problem(const char* by, uint64_t wrong, uint64_t index, const u32* expected, const u32* found) {
  return absl::StrFormat(
      "verified on the %s: %d vectors of 16 bytes are wrong; at byte %d expected %08x %08x %08x "
      "%08x, found %08x %08x %08x %08x",
      by, wrong, index * sizeof(u32x4), expected[0], expected[1], expected[2], expected[3], found[0], found[1],
      found[2], found[3]);
}

}  // namespace

PatternedMemory::PatternedMemory(ComputeDevice& device, uint64_t bytes, uint64_t seed)
    : device_(device), vectors_(bytes / sizeof(u32x4)), key_(mix_bits(static_cast<u32>(seed))) {
  errors_ = Need(device.Allocate(sizeof(MarchErrors)), sizeof(MarchErrors));
  data_ = device.Allocate(bytes);
  if (data_ == nullptr) device.Free(errors_);
  Need(data_, bytes);
  Go(device_, "march_write", data_, errors_, ArgumentsOf(vectors_, key_));
}

PatternedMemory::~PatternedMemory() {
  device_.Free(data_);
  device_.Free(errors_);
}

void PatternedMemory::CopyOnDevice() {
  const uint64_t bytes = vectors_ * sizeof(u32x4);
  void* const copy = Need(device_.Allocate(bytes), bytes);
  device_.Copy(copy, data_, bytes);
  device_.Wait();
  device_.Free(data_);
  data_ = copy;
}

std::string PatternedMemory::VerifyOnDevice() {
  device_.Zero(errors_, sizeof(MarchErrors));
  Go(device_, "march_verify", data_, errors_, ArgumentsOf(vectors_, key_));
  MarchErrors errors;
  device_.ReadBack(&errors, errors_, sizeof(errors));
  if (errors.count == 0) return "";
  const MarchRecord& first = errors.records[0];
  return Problem("device", errors.count, first.index, first.expected, first.found);
}

std::string PatternedMemory::VerifyOnHost() {
  const uint64_t bytes = vectors_ * sizeof(u32x4);
  auto* const host = static_cast<u32x4*>(Need(device_.AllocateHost(bytes), bytes));
  device_.ReadBack(host, data_, bytes);
  const MarchPattern pattern = ArgumentsOf(vectors_, key_).expected;
  uint64_t wrong = 0;
  std::string problem;
  for (uint64_t i = 0; i < vectors_; ++i) {
    const u32x4 expected = march_value(i, pattern);
    if (march_same(expected, host[i]) || wrong++ != 0) continue;
    problem = Problem("host", 1, i, &expected.x, &host[i].x);
  }
  device_.FreeHost(host);
  return wrong <= 1 ? problem : absl::StrFormat("%s (the first of %d)", problem, wrong);
}

std::string Smoke(ComputeDevice& device, uint64_t bytes, uint64_t seed) {
  PatternedMemory memory(device, bytes, seed);
  memory.CopyOnDevice();
  const std::string on_device = memory.VerifyOnDevice();
  return on_device.empty() ? memory.VerifyOnHost() : on_device;
}

}  // namespace muster::physical
