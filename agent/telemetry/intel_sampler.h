// Intel's GPUs by sysman and the kernel's own files: for the sampler's child.
#ifndef MUSTER_AGENT_TELEMETRY_INTEL_SAMPLER_H_
#define MUSTER_AGENT_TELEMETRY_INTEL_SAMPLER_H_

#include <memory>
#include <string>

#include "agent/telemetry/sampler.h"

namespace muster::agent {

// `root` is where /sys is; `marker` outlives the sampler.
std::unique_ptr<Sampler> MakeIntelSampler(std::string root, CallMarker& marker);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_INTEL_SAMPLER_H_
