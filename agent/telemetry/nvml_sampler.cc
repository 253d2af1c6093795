#include "agent/telemetry/nvml_sampler.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/inventory/nvml_library.h"
#include "agent/inventory/shared_library.h"
#include "agent/telemetry/nvml_device.h"
#include "agent/telemetry/sample_frame.h"
#include "base/clean_text.h"
#include "base/pci.h"
#include "base/status_macros.h"

namespace muster::agent {
namespace {

// A device that NVML counts and does not open is tried again every so many turns.
constexpr int kOpenTurns = 5;
// One that is lost may come back, and only an NVML that was started anew knows: so many turns after, longer each time.
// Not sooner: where nobody else uses the driver, that has it start all GPUs anew.
constexpr int kFirstRestartTurns = 15;
constexpr int kMaxRestartTurns = 120;

class NvmlSampler final : public Sampler {
 public:
  NvmlSampler(std::function<absl::StatusOr<NvmlFunctions>()> load, CallMarker& marker)
      : load_(std::move(load)), marker_(marker) {}

  absl::Status Start() override {
    ASSIGN_OR_RETURN(f_, load_());
    for (const bool missing :
         {f_.init.call == nullptr, f_.count.call == nullptr, f_.handle.call == nullptr, f_.pci_info.call == nullptr}) {
      if (missing) {
        return absl::FailedPreconditionError(
            "NVML lacks one of nvmlInit_v2, nvmlDeviceGetCount_v2, nvmlDeviceGetHandleByIndex_v2 and "
            "nvmlDeviceGetPciInfo_v3: expected a driver of 2018 or later");
      }
    }
    return Open();
  }

  absl::StatusOr<std::vector<v1::DeviceSample>> Sample(const std::vector<std::string>& skip) override {
    if (lost_turns_ >= restart_turns_) {
      restart_turns_ = std::min(2 * restart_turns_, kMaxRestartTurns);
      Mark("", f_.shutdown);
      RETURN_IF_ERROR(Open());
    } else if (++turn_ % kOpenTurns == 0) {
      OpenDevices().IgnoreError();  // Tried again.
    }
    std::vector<v1::DeviceSample> samples;
    bool lost = false;
    for (NvmlDevice& device : devices_) {
      if (std::find(skip.begin(), skip.end(), device.pci_address()) != skip.end()) continue;
      samples.push_back(device.Sample());
      lost |= device.lost();
      if (device.wants_restart()) return absl::UnavailableError("NVML is no longer initialised");
    }
    lost_turns_ = lost ? lost_turns_ + 1 : 0;
    if (!lost && unopened_.empty()) restart_turns_ = kFirstRestartTurns;
    return samples;
  }

 private:
  template <typename Function, typename... Arguments>
  nvml::Return Mark(const std::string& device, const NvmlFunction<Function>& function, Arguments... arguments) {
    if (function.call == nullptr) return nvml::kFunctionNotFound;
    marker_.Enter(device, function.name);
    const nvml::Return result = function.call(arguments...);
    marker_.Leave();
    return result;
  }

  absl::Status Open() {
    devices_.clear();
    unopened_.clear();
    lost_turns_ = 0;
    if (const nvml::Return result = Mark("", f_.init); result != nvml::kSuccess) {
      // The library without its driver: nothing of NVIDIA's is at work here.
      if (result == nvml::kDriverNotLoaded) return absl::NotFoundError(Failed("nvmlInit", result));
      return absl::FailedPreconditionError(Failed("nvmlInit", result));
    }
    unsigned int count = 0;
    if (const nvml::Return result = Mark("", f_.count, &count); result != nvml::kSuccess) {
      return absl::FailedPreconditionError(Failed("nvmlDeviceGetCount", result));
    }
    if (count == 0) return absl::NotFoundError("NVML shows no device");
    for (unsigned int i = 0; i < std::min<unsigned int>(count, kMaxSampledDevices); ++i) unopened_.push_back(i);
    const absl::Status status = OpenDevices();
    if (!devices_.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("NVML counts ", count, " devices and opens none: ", status.message()));
  }

  // Those that are not open yet; why one still is not.
  absl::Status OpenDevices() {
    absl::Status why;
    std::vector<unsigned int> closed;
    for (const unsigned int index : unopened_) {
      const absl::Status status = OpenDevice(index);
      if (status.ok()) continue;
      closed.push_back(index);
      why = status;
    }
    unopened_ = std::move(closed);
    return why;
  }

  absl::Status OpenDevice(unsigned int index) {
    nvml::Device handle = nullptr;
    if (const nvml::Return result = Mark("", f_.handle, index, &handle); result != nvml::kSuccess) {
      return absl::UnavailableError(Failed("nvmlDeviceGetHandleByIndex", result));
    }
    nvml::PciInfo info{};
    if (const nvml::Return result = Mark("", f_.pci_info, handle, &info); result != nvml::kSuccess) {
      return absl::UnavailableError(Failed("nvmlDeviceGetPciInfo", result));
    }
    const std::string address =
        base::NormalisePciAddress(base::CleanText(absl::string_view(info.bus_id, sizeof(info.bus_id))));
    if (address.empty()) return absl::UnavailableError("nvmlDeviceGetPciInfo gives no PCI address");
    char uuid[base::kMaxText] = {};
    if (Mark(address, f_.uuid, handle, uuid, static_cast<unsigned int>(sizeof(uuid))) != nvml::kSuccess) uuid[0] = '\0';
    devices_.emplace_back(f_, handle, address, base::CleanText(absl::string_view(uuid, sizeof(uuid))),
                          static_cast<int>(index), marker_);
    return absl::OkStatus();
  }

  std::string Failed(absl::string_view what, nvml::Return result) const {
    const char* text = f_.error_string.call == nullptr ? nullptr : f_.error_string.call(result);
    return absl::StrCat(what, " failed: ", base::CleanText(text == nullptr ? "no text" : text), " (", result, ")");
  }

  const std::function<absl::StatusOr<NvmlFunctions>()> load_;
  CallMarker& marker_;
  NvmlFunctions f_;
  std::vector<NvmlDevice> devices_;
  std::vector<unsigned int> unopened_;  // Their numbers.
  int turn_ = 0;
  int lost_turns_ = 0;
  int restart_turns_ = kFirstRestartTurns;
};

}  // namespace

std::unique_ptr<Sampler> MakeNvmlSampler(CallMarker& marker) {
  return MakeNvmlSampler(
      []() -> absl::StatusOr<NvmlFunctions> {
        ASSIGN_OR_RETURN(const std::unique_ptr<SharedLibrary> library, SharedLibrary::Open(NvmlCandidates()));
        return FindNvmlFunctions(*library);
      },
      marker);
}

std::unique_ptr<Sampler> MakeNvmlSampler(std::function<absl::StatusOr<NvmlFunctions>()> load, CallMarker& marker) {
  return std::make_unique<NvmlSampler>(std::move(load), marker);
}

}  // namespace muster::agent
