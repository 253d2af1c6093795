// The measurements and notes of a run for a person at a terminal; GoogleTest itself prints the cases and their
// failures.
#ifndef MUSTER_SUITES_SDK_TERMINAL_REPORT_H_
#define MUSTER_SUITES_SDK_TERMINAL_REPORT_H_

#include <cstdio>
#include <string>

#include "suites/sdk/environment.h"
#include "suites/sdk/report.h"

namespace muster::sdk {

class TerminalReport : public Report {
 public:
  // `out` stays the caller's. A device is named only when there are several.
  TerminalReport(const Environment& environment, std::FILE* out) : environment_(environment), out_(out) {}

  void RunStart() override;
  void CaseStart(const std::string& name) override {}
  void Measure(const MeasurementRecord& measurement) override;
  void Diagnose(const DiagnosisRecord& diagnosis) override;
  // GoogleTest prints these as failures.
  void Error(const ErrorRecord& error) override {}
  void Log(Severity severity, const std::string& message) override;
  void CaseEnd(CaseStatus status) override {}
  void RunEnd() override {}

 private:
  const Environment& environment_;
  std::FILE* const out_;
};

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_TERMINAL_REPORT_H_
