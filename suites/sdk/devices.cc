#include "suites/sdk/devices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/session.h"

namespace muster::sdk {
namespace {

// One device's round; why it was skipped goes to `reasons`.
void Round(const std::function<void(const v1::Device&)>& test, const v1::Device& device,
           std::vector<std::string>& reasons) {
  const FailureContext context(device.id());
  const testing::ScopedTrace trace(__FILE__, __LINE__,
                                   absl::StrCat(device.model(), " ", device.pci_address(), " ", device.id()));
  try {
    test(device);
  } catch (const DeviceSkipped& skipped) {
    reasons.push_back(absl::StrCat(device.id(), ": ", skipped.what()));
  } catch (const std::exception& error) {
    const std::string what = error.what();
    if (absl::StartsWith(what, kDeviceFailureMark)) {
      ADD_FAILURE_AT("", 0) << what;
      return;
    }
    // An error, other than a diagnosis, has no field for its device.
    const std::string whose = LeasedDevices().size() > 1 ? device.pci_address() + ": " : "";
    ADD_FAILURE_AT("", 0) << kToolErrorMark << whose << absl::StripPrefix(what, kToolErrorMark);
  }
}

}  // namespace

const std::vector<v1::Device>& LeasedDevices() { return Session::Current().environment().devices; }

bool SpeedsAreReal() {
  const auto& devices = LeasedDevices();
  return std::none_of(devices.begin(), devices.end(), [](const v1::Device& device) { return device.simulated(); });
}

void ForEachDevice(const std::function<void(const v1::Device&)>& test) {
  if (LeasedDevices().empty()) GTEST_SKIP() << "no GPU is leased to this run, and none was found";
  std::vector<std::string> reasons;
  for (const v1::Device& device : LeasedDevices()) Round(test, device, reasons);
  if (reasons.size() == LeasedDevices().size()) GTEST_SKIP() << absl::StrJoin(reasons, "; ");
  for (const std::string& reason : reasons) {
    Session::Current().report().Diagnose(
        {.type = DiagnosisType::kUnknown, .verdict = "device-skipped", .message = reason});
  }
}

}  // namespace muster::sdk
