// Until there is an Intel sampler.
#include "agent/telemetry/intel_sampler.h"

namespace muster::agent {
namespace {

class NoIntelSampler final : public Sampler {
 public:
  absl::Status Start() override { return absl::NotFoundError("this build reads no Intel GPUs"); }
  absl::StatusOr<std::vector<v1::DeviceSample>> Sample(const std::vector<std::string>&) override {
    return absl::InternalError("not started");
  }
};

}  // namespace

std::unique_ptr<Sampler> MakeIntelSampler(std::string, CallMarker&) { return std::make_unique<NoIntelSampler>(); }

}  // namespace muster::agent
