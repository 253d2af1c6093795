// NVIDIA's GPUs by NVML, loaded into this process: for the sampler's child.
#ifndef MUSTER_AGENT_TELEMETRY_NVML_SAMPLER_H_
#define MUSTER_AGENT_TELEMETRY_NVML_SAMPLER_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "agent/telemetry/nvml_functions.h"
#include "agent/telemetry/sampler.h"

namespace muster::agent {

// With the machine's own library. `marker` outlives the sampler.
std::unique_ptr<Sampler> MakeNvmlSampler(CallMarker& marker);

// With the functions that `load` gives when the sampler starts.
std::unique_ptr<Sampler> MakeNvmlSampler(std::function<absl::StatusOr<NvmlFunctions>()> load, CallMarker& marker);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_NVML_SAMPLER_H_
