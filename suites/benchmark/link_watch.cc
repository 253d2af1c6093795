#include "suites/benchmark/link_watch.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/units.h"
#include "suites/sdk/level_zero.h"
#include "suites/sdk/peak.h"
#include "suites/sdk/session.h"

namespace muster::benchmark {
namespace {

zes_device_handle_t FindIntel(const v1::Device& device) {
  const auto library = sdk::LevelZero::Shared();
  if (!library.ok()) return nullptr;
  const auto handles = (*library)->Find(device);
  return handles.ok() ? handles->sysman : nullptr;
}

// Generation and width; -1 is "unknown" in sysman.
std::optional<double> IntelPeak(zes_device_handle_t device) {
  const auto library = sdk::LevelZero::Shared();
  if (!library.ok()) return std::nullopt;
  const auto get_state = MUSTER_ZE(**library, zesDevicePciGetState);
  zes_pci_state_t state = {};
  state.stype = ZES_STRUCTURE_TYPE_PCI_STATE;
  if (get_state == nullptr || get_state(device, &state) != ZE_RESULT_SUCCESS) return std::nullopt;
  if (state.speed.gen <= 0 || state.speed.width <= 0) return std::nullopt;
  return sdk::PciBandwidthPeak(static_cast<uint32_t>(state.speed.gen), static_cast<uint32_t>(state.speed.width));
}

}  // namespace

LinkWatch::LinkWatch(const v1::Device& device) {
  if (device.vendor() == v1::VENDOR_INTEL) {
    intel_ = FindIntel(device);
    return;
  }
  const auto nvml = sdk::Nvml::Shared();
  if (!nvml.ok()) return;
  nvml_ = *nvml;
  nvidia_ = nvml_->DeviceByUuid(device.uuid()).value_or(nullptr);
}

void LinkWatch::Look() {
  if (intel_ != nullptr) best_ = std::max(best_, IntelPeak(intel_).value_or(0));
  if (nvidia_ == nullptr) return;
  const auto link = nvml_->PciLink(nvidia_);
  if (!link.ok()) return;
  best_ = std::max(best_, sdk::PciBandwidthPeak(link->generation, link->width).value_or(0));
}

std::optional<double> LinkWatch::Expected(double measured) const {
  if (best_ == 0) return std::nullopt;
  if (measured <= best_) return best_;
  sdk::Session::Current().report().Log(
      sdk::Severity::kWarning,
      absl::StrCat("the link reads as one of ", base::FormatQuantity(best_, "B/s"), ", and ",
                   base::FormatQuantity(measured, "B/s"), " went over it: a virtual machine hides its real state"));
  return std::nullopt;
}

}  // namespace muster::benchmark
