// Intel's GPUs by Level Zero's sysman, and by the kernel's own files for what sysman does not give. For the sampler's
// child.
//
// The devices are those that PCI shows, so a machine without Level Zero still gives what its kernel gives. A value of
// sysman's beats one of the kernel's, of the PCIe maxima the lower counts (reading_set.h). A device that has left the
// bus stays, every field failing.
#ifndef MUSTER_AGENT_TELEMETRY_INTEL_SAMPLER_H_
#define MUSTER_AGENT_TELEMETRY_INTEL_SAMPLER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/telemetry/drm_sampler.h"
#include "agent/telemetry/sampler.h"
#include "agent/telemetry/sysman_calls.h"

namespace muster::agent {

// `root` is where /sys is; `marker` outlives the sampler.
std::unique_ptr<Sampler> MakeIntelSampler(std::string root, CallMarker& marker);

// What it stands on, for tests.
struct IntelSources {
  std::function<absl::StatusOr<SysmanCalls>()> sysman;
  // Microseconds of a steady clock.
  std::function<int64_t()> now_us;
  // Between the first readings of counters and their second; rates need two.
  std::function<void()> pause;
  DrmSampler::ReadLine read_line;
};
std::unique_ptr<Sampler> MakeIntelSampler(std::string root, CallMarker& marker, IntelSources sources);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_INTEL_SAMPLER_H_
