#include "suites/sdk/case_listener.h"

#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "suites/sdk/interruption.h"
#include "suites/sdk/outcome.h"

namespace muster::sdk {
namespace {

enum class Fault { kDevice, kTool };
struct Failure {
  Fault fault = Fault::kDevice;
  std::string message;
};

// GoogleTest words an escaped exception as: C++ exception with description "WHAT" thrown in the test body.
absl::string_view WithoutExceptionWords(absl::string_view message) {
  constexpr absl::string_view kBefore = "C++ exception with description \"";
  constexpr absl::string_view kAfter = "\" thrown in ";
  if (!absl::ConsumePrefix(&message, kBefore)) return message;
  return message.substr(0, message.rfind(kAfter));
}

Failure Classify(absl::string_view message) {
  // The traces name the device, which the diagnosis says itself.
  message = absl::StripAsciiWhitespace(message.substr(0, message.find("\nGoogle Test trace:")));
  // EXPECT_… puts "Failed" before what ADD_FAILURE was given.
  absl::ConsumePrefix(&message, "Failed\n");
  const absl::string_view what = WithoutExceptionWords(message);
  const bool escaped = what.size() != message.size() || absl::StartsWith(message, "Unknown C++ exception");
  absl::string_view text = what;
  if (absl::ConsumePrefix(&text, kDeviceFailureMark)) return {Fault::kDevice, std::string(text)};
  if (absl::ConsumePrefix(&text, kToolErrorMark)) return {Fault::kTool, std::string(text)};
  return {escaped ? Fault::kTool : Fault::kDevice, std::string(text)};
}

SourceLocation LocationOf(const testing::TestPartResult& part) {
  const char* file = part.file_name();
  if (file == nullptr || *file == '\0') return {};
  return {file, part.line_number()};
}

}  // namespace

void CaseListener::OnTestProgramStart(const testing::UnitTest&) {
  report_.RunStart();
  for (const std::string& warning : warnings_) report_.Log(Severity::kWarning, warning);
}

void CaseListener::OnTestStart(const testing::TestInfo& test) {
  erred_ = false;
  in_case_ = true;
  report_.CaseStart(absl::StrCat(test.test_suite_name(), ".", test.name()));
}

void CaseListener::OnTestPartResult(const testing::TestPartResult& part) {
  if (part.passed()) return;
  if (part.skipped()) {
    const absl::string_view reason = absl::StripAsciiWhitespace(absl::StripPrefix(part.message(), "Skipped\n"));
    report_.Diagnose({.type = DiagnosisType::kUnknown,
                      .verdict = "skipped",
                      .message = reason.empty() ? "no reason given" : std::string(reason),
                      .location = LocationOf(part)});
    return;
  }
  const Failure failure = Classify(part.message());
  // Outside of a case (a fixture's set-up for all its tests) there is nobody to blame but the program.
  if (failure.fault == Fault::kTool || !in_case_) {
    erred_ = true;
    report_.Error({.symptom = "tool-error", .message = failure.message, .location = LocationOf(part)});
    return;
  }
  const std::string verdict = FailureContext::Verdict();
  report_.Diagnose({.type = DiagnosisType::kFail,
                    .verdict = verdict.empty() ? "failed" : verdict,
                    .message = failure.message,
                    .device_id = FailureContext::DeviceId(),
                    .location = LocationOf(part)});
}

void CaseListener::OnTestEnd(const testing::TestInfo& test) {
  in_case_ = false;
  report_.CaseEnd(erred_ ? CaseStatus::kError : test.result()->Skipped() ? CaseStatus::kSkip : CaseStatus::kComplete);
  if (!Interruption::Requested()) return;
  // As a shell has it for a program that SIGTERM ended.
  constexpr int kExitStatus = 128 + SIGTERM;
  report_.RunEnd();
  std::fflush(nullptr);
  std::_Exit(kExitStatus);
}

void CaseListener::OnTestProgramEnd(const testing::UnitTest&) { report_.RunEnd(); }

}  // namespace muster::sdk
