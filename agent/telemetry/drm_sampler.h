// Intel's GPUs by what the kernel drivers i915 and xe show under /sys: for machines without Level Zero, for users that
// its sysman does not serve, and for what it leaves out.
//
// Clocks and throttle reasons of each GT, energy, power limits, temperatures and fans of hwmon, the PCIe link, and how
// much memory there is. Not here: engines and processes (fdinfo of every program's file descriptors; the PMU wants
// privileges), bandwidths, error counters, Xe Link.
//
// No such file is UNSUPPORTED, a file that may not be read NOT_PERMITTED, any other error and what is no number
// FAILING. Reads some files may wake a sleeping GPU, as any reader of them does. One thread.
#ifndef MUSTER_AGENT_TELEMETRY_DRM_SAMPLER_H_
#define MUSTER_AGENT_TELEMETRY_DRM_SAMPLER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "agent/telemetry/counter_rate.h"
#include "agent/telemetry/reading_set.h"
#include "agent/telemetry/sampler.h"
#include "base/root_folder.h"

namespace muster::agent {

class DrmSampler {
 public:
  // The cleaned content of a file of one value; NotFound, PermissionDenied, or any other error.
  using ReadLine = std::function<absl::StatusOr<std::string>(const std::string& path)>;

  // `root` and `marker` outlive the object; `read_line` in place of root's own, for tests.
  DrmSampler(const base::RootFolder& root, CallMarker& marker, std::function<int64_t()> now_us,
             ReadLine read_line = nullptr);

  // Takes a first reading of the energy counters of a device that was not seen before; true when it did.
  bool Prepare(const std::string& pci_address);

  // What the kernel shows of the device, but for what `known` has values of (PCIe maxima aside).
  ReadingSet Read(const std::string& pci_address, const ReadingSet& known);

 private:
  const base::RootFolder& root_;
  CallMarker& marker_;
  const std::function<int64_t()> now_us_;
  const ReadLine read_line_;
  // By address and domain.
  std::map<std::string, std::map<std::string, CounterRate>> energies_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_DRM_SAMPLER_H_
