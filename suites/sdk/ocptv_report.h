// A run as OCPTV v2 lines, in the form that a strict reader accepts: schemaVersion first, numbers dense from 0, RFC
// 3339 timestamps in UTC, one object a line.
//
// Each line goes to the sink in one call, under a lock, so lines are whole and in the order of their numbers.
#ifndef MUSTER_SUITES_SDK_OCPTV_REPORT_H_
#define MUSTER_SUITES_SDK_OCPTV_REPORT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "muster/v1/ocptv.pb.h"
#include "suites/sdk/environment.h"
#include "suites/sdk/report.h"

namespace muster::sdk {

struct Software {
  std::string name;
  std::string version;
  std::string type = "SYSTEM";  // OCPTV's softwareType.
};

class OcptvReport : public Report {
 public:
  // Takes one line without its end.
  using Sink = std::function<void(const std::string&)>;
  // Nanoseconds since 1970.
  using Clock = std::function<int64_t()>;

  OcptvReport(const Environment& environment, std::string command_line, std::vector<Software> software, Sink sink,
              Clock clock);

  void RunStart() override;
  void CaseStart(const std::string& name) override;
  void Measure(const MeasurementRecord& measurement) override;
  void Diagnose(const DiagnosisRecord& diagnosis) override;
  void Error(const ErrorRecord& error) override;
  void Log(Severity severity, const std::string& message) override;
  void CaseEnd(CaseStatus status) override;
  void RunEnd() override;

 private:
  v1::ocptv::TestRunStart Start() const;
  void Emit(v1::ocptv::Root root) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // In the step that runs. Outside of one, a program's mistake: the artifact goes into a log line of the run.
  void EmitInCase(v1::ocptv::TestStepArtifact artifact) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EmitInRun(v1::ocptv::TestRunArtifact artifact) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Empty for a device that is not leased: an id outside of dutInfo would be a broken reference.
  std::string HardwareId(const std::string& device_id) const;

  const Environment environment_;
  const std::string command_line_;
  const std::vector<Software> software_;
  const Sink sink_;
  const Clock clock_;
  // Device.id to hardwareInfoId.
  std::map<std::string, std::string> hardware_ids_;

  base::Mutex mutex_;
  int32_t sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  int32_t steps_ ABSL_GUARDED_BY(mutex_) = 0;
  int32_t completed_ ABSL_GUARDED_BY(mutex_) = 0;
  bool in_case_ ABSL_GUARDED_BY(mutex_) = false;
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;
  bool erred_ ABSL_GUARDED_BY(mutex_) = false;
};

// A sink that writes whole lines to a file descriptor. A reader that has gone ends the program: nobody hears it.
OcptvReport::Sink DescriptorSink(int descriptor);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_OCPTV_REPORT_H_
