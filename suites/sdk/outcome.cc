#include "suites/sdk/outcome.h"

#include <gtest/gtest.h>

#include <utility>

namespace muster::sdk {
namespace {
thread_local FailureContext* innermost = nullptr;
}  // namespace

void RecordToolError(const std::string& message, std::source_location location) {
  ADD_FAILURE_AT(location.file_name(), static_cast<int>(location.line())) << kToolErrorMark << message;
}

FailureContext::FailureContext(std::string device_id, std::string verdict)
    : outer_(innermost),
      device_id_(device_id.empty() ? DeviceId() : std::move(device_id)),
      verdict_(verdict.empty() ? Verdict() : std::move(verdict)) {
  innermost = this;
}

FailureContext::~FailureContext() { innermost = outer_; }

std::string FailureContext::DeviceId() { return innermost == nullptr ? "" : innermost->device_id_; }
std::string FailureContext::Verdict() { return innermost == nullptr ? "" : innermost->verdict_; }

}  // namespace muster::sdk
