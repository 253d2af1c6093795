#include "suites/sdk/devices.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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
    const bool marked = what.rfind(kToolErrorMark, 0) == 0 || what.rfind(kDeviceFailureMark, 0) == 0;
    ADD_FAILURE_AT("", 0) << (marked ? "" : kToolErrorMark) << what;
  }
}

}  // namespace

const std::vector<v1::Device>& LeasedDevices() { return Session::Current().environment().devices; }

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
