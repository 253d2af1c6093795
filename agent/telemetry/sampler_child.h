// The child's side of a sampler process: loads a vendor's library, samples on a steady grid, prints frames
// (sample_frame.h) on its stdout, and marks each driver call in the memory behind its stdin (call_slot.h).
//
//   PROGRAM --sampler=nvml [--interval-ms=N] [--root=DIR] [--skip=PCI_ADDRESS=MS]...
//
// Ends when nobody reads it any more. Whatever it prints beside the frames goes to stderr.
#ifndef MUSTER_AGENT_TELEMETRY_SAMPLER_CHILD_H_
#define MUSTER_AGENT_TELEMETRY_SAMPLER_CHILD_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/telemetry/call_slot.h"
#include "agent/telemetry/sampler.h"

namespace muster::agent {

inline constexpr int64_t kMinSamplerIntervalMs = 10;
inline constexpr int64_t kMaxSamplerIntervalMs = 3'600'000;

struct SamplerArguments {
  // A device that is left alone for so long.
  struct Skip {
    std::string pci_address;
    int64_t for_ms = 0;
  };
  int64_t interval_ms = 1'000;
  std::string root = "/";
  std::vector<Skip> skip;
};

// What the agent gives to the child after the sampler's flag, and back.
std::vector<std::string> FormatSamplerArguments(const SamplerArguments& arguments);
absl::StatusOr<SamplerArguments> ParseSamplerArguments(const std::vector<std::string>& words);

// Starts `sampler` and writes its turns to `out` until nobody reads it. Returns the exit status: 0 when the reader has
// gone or has been told why the sampler ends.
int RunSampler(Sampler& sampler, CallSlotWriter& slot, const SamplerArguments& arguments, int out);

// A child's whole main() with the sampler that `make` gives. Does not return: the process ends without the libraries'
// exit handlers.
using MakeSampler = std::function<std::unique_ptr<Sampler>(const SamplerArguments& arguments, CallMarker& marker)>;
[[noreturn]] void RunSamplerMain(const MakeSampler& make, const std::vector<std::string>& words);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_SAMPLER_CHILD_H_
