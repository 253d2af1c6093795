// One vendor's way of reading its GPUs: NVML, Level Zero's sysman, the kernel's own files, a fake.
//
// A vendor's library may crash, hang for ever, or keep tens of megabytes, so those run in a long-lived child of the
// agent (sampler_child.h); the kernel's files are read there, too.
#ifndef MUSTER_AGENT_TELEMETRY_SAMPLER_H_
#define MUSTER_AGENT_TELEMETRY_SAMPLER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

// Told of each call into the driver, so that whoever watches can say which one did not return. Cheap: two stores.
class CallMarker {
 public:
  virtual ~CallMarker() = default;
  // `device` is its PCI address, empty for calls of no device; `call` is a string literal: "nvmlDeviceGetTemperature".
  virtual void Enter(absl::string_view device, const char* call) = 0;
  virtual void Leave() = 0;
};

class Sampler {
 public:
  virtual ~Sampler() = default;

  // Loads and initialises. NotFound when the library is not installed or shows no device; anything else when it does
  // not work. May block for ever.
  virtual absl::Status Start() = 0;

  // One sample of each of its devices, those of `skip` (PCI addresses) left alone. Every field that a device of the
  // vendor could have is there, with a value or with its absence; no sentinel is ever a value. An error: nothing could
  // be read at all (the library wants to be started anew). May block for ever.
  virtual absl::StatusOr<std::vector<v1::DeviceSample>> Sample(const std::vector<std::string>& skip) = 0;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_SAMPLER_H_
