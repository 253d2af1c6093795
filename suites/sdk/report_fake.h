// A report that keeps what it is told, for tests of helpers that report.
#ifndef MUSTER_SUITES_SDK_REPORT_FAKE_H_
#define MUSTER_SUITES_SDK_REPORT_FAKE_H_

#include <string>
#include <utility>
#include <vector>

#include "suites/sdk/report.h"

namespace muster::sdk {

class ReportFake : public Report {
 public:
  void RunStart() override {}
  void CaseStart(const std::string& name) override {}
  void Measure(const MeasurementRecord& measurement) override { measurements.push_back(measurement); }
  void Diagnose(const DiagnosisRecord& diagnosis) override { diagnoses.push_back(diagnosis); }
  void Error(const ErrorRecord& error) override { errors.push_back(error); }
  void Log(Severity severity, const std::string& message) override { logs.emplace_back(severity, message); }
  void CaseEnd(CaseStatus status) override {}
  void RunEnd() override {}

  std::vector<MeasurementRecord> measurements;
  std::vector<DiagnosisRecord> diagnoses;
  std::vector<ErrorRecord> errors;
  std::vector<std::pair<Severity, std::string>> logs;
};

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_REPORT_FAKE_H_
