// Where a running suite program says what it finds: as OCPTV lines (ocptv_report.h) or for a reader
// (terminal_report.h).
//
// Any thread may call any method; a measurement, diagnosis, error or log belongs to the case that runs.
#ifndef MUSTER_SUITES_SDK_REPORT_H_
#define MUSTER_SUITES_SDK_REPORT_H_

#include <string>
#include <variant>
#include <vector>

namespace muster::sdk {

using MeasuredValue = std::variant<double, bool, std::string>;

// Empty file: unknown.
struct SourceLocation {
  std::string file;
  int line = 0;
};

// OCPTV's: the measured value is the left operand.
struct Validator {
  std::string type;  // "GREATER_THAN_OR_EQUAL", …
  MeasuredValue value;
};

struct MeasurementRecord {
  std::string name;
  MeasuredValue value;
  std::string unit;
  // Device.id; empty: of no one device.
  std::string device_id;
  std::string subcomponent;
  std::vector<Validator> validators;
};

enum class DiagnosisType { kPass, kFail, kUnknown };

struct DiagnosisRecord {
  DiagnosisType type = DiagnosisType::kUnknown;
  // The author's symbol, e.g. "copy-wrong-data".
  std::string verdict;
  std::string message;
  std::string device_id;
  SourceLocation location;
};

struct ErrorRecord {
  // The author's symbol, e.g. "tool-error".
  std::string symptom;
  std::string message;
  SourceLocation location;
};

enum class Severity { kInfo, kWarning, kError };
// How a case ended: it could judge, it could not, its requirement is not met.
enum class CaseStatus { kComplete, kError, kSkip };

class Report {
 public:
  virtual ~Report() = default;
  virtual void RunStart() = 0;
  virtual void CaseStart(const std::string& name) = 0;
  virtual void Measure(const MeasurementRecord& measurement) = 0;
  virtual void Diagnose(const DiagnosisRecord& diagnosis) = 0;
  virtual void Error(const ErrorRecord& error) = 0;
  virtual void Log(Severity severity, const std::string& message) = 0;
  virtual void CaseEnd(CaseStatus status) = 0;
  virtual void RunEnd() = 0;
};

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_REPORT_H_
