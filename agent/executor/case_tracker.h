// What OCPTV artifacts mean: steps are cases, and each gets its outcome by the rules of docs/architecture.md section 5.
//
// Also holds the rules between artifacts: one run, start and end in pairs, ids that refer to something, series that are
// complete, an end that agrees with what the steps said. In the strict mode a broken rule is a fault (the case cannot
// pass); in the compatibility mode it is a note. Pure, one thread.
#ifndef MUSTER_AGENT_EXECUTOR_CASE_TRACKER_H_
#define MUSTER_AGENT_EXECUTOR_CASE_TRACKER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/executor/case_book.h"
#include "agent/executor/ocptv_reader.h"
#include "agent/executor/result_reader.h"
#include "muster/v1/fleet.pb.h"

namespace muster::agent {

class CaseTracker final : public OcptvReader::Sink {
 public:
  // `devices`: the leased ones. A hardwareInfo is one of them when its odataId is the device's id or UUID, or its
  // serialNumber the device's serial; measurements and diagnoses that name it then carry the device's id. `book`
  // outlives the tracker.
  CaseTracker(OcptvMode mode, std::vector<v1::Device> devices, CaseBook* book, ResultReader::Log log);

  // To be called before the reader is fed: artifacts carry no time that can be trusted for limits.
  void SetTime(base::Time now) { now_ = now; }
  // The stream has ended. `readable`: it was OCPTV at all.
  void End(const ProgramEnd& end, bool readable);

  void OnArtifact(const v1::ocptv::Root& root) override;
  void OnStray(std::string_view line) override;
  void OnFault(std::string_view kind, std::string_view text) override;
  void OnNote(std::string_view kind, std::string_view text) override;

 private:
  struct Series {
    v1::Measurement shape;  // Name, unit, device, subcomponent.
    std::vector<v1::ocptv::Validator> validators;
    int64_t elements = 0;
    bool ended = false;
  };
  struct Step {
    std::string case_name;
    bool ended = false;
    bool passed = false;  // A PASS diagnosis.
    std::string failure;  // The first FAIL diagnosis or, without one, the first violated validator.
    bool fail_diagnosis = false;
    bool violated = false;
    std::string error;
    std::string skip;
    std::map<std::string, Series> series;
  };

  void OnRunArtifact(const v1::ocptv::TestRunArtifact& artifact);
  void OnRunStart(const v1::ocptv::TestRunStart& start);
  void OnRunEnd(const v1::ocptv::TestRunEnd& end);
  void OnStepArtifact(const v1::ocptv::TestStepArtifact& artifact);
  void OnStepStart(const std::string& id, const std::string& name);
  void OnStepEnd(Step& step, const std::string& status);
  void OnMeasurement(Step& step, const v1::ocptv::Measurement& measurement);
  void OnSeriesStart(Step& step, const v1::ocptv::MeasurementSeriesStart& start);
  void OnSeriesElement(Step& step, const v1::ocptv::MeasurementSeriesElement& element);
  void OnSeriesEnd(Step& step, const v1::ocptv::MeasurementSeriesEnd& end);
  void OnDiagnosis(Step& step, const v1::ocptv::Diagnosis& diagnosis);
  void OnError(Step& step, const v1::ocptv::Error& error);
  void OnLog(const v1::ocptv::Log& log);

  void CheckRunEnd(const v1::ocptv::TestRunEnd& end);
  void Check(Step& step, const google::protobuf::Value& value, const std::vector<v1::ocptv::Validator>& validators,
             v1::Measurement& measurement);
  std::string DeviceOf(const std::string& case_name, const std::string& hardware_info_id);
  void CheckSoftware(const std::string& case_name, const v1::ocptv::Error& error);
  // A rule between artifacts is broken: of one case, or of the run (empty).
  void Irregular(const std::string& case_name, std::string_view kind, std::string_view text);

  const OcptvMode mode_;
  const std::vector<v1::Device> devices_;
  CaseBook& book_;
  const ResultReader::Log log_;
  base::Time now_;
  int64_t artifact_unix_ms_ = 0;
  bool run_started_ = false;
  bool run_ended_ = false;
  std::map<std::string, std::string> hardware_;  // hardwareInfoId to device id, empty when it is none of ours.
  std::set<std::string> software_;
  std::map<std::string, Step> steps_;
};

// Reader and tracker together, as the executor uses them.
class OcptvResults final : public ResultReader {
 public:
  OcptvResults(OcptvMode mode, std::vector<v1::Device> devices, CaseBook* book, Log log)
      : tracker_(mode, std::move(devices), book, std::move(log)), reader_(mode, &tracker_) {}

  void TakeStdout(std::string_view bytes, base::Time now) override {
    tracker_.SetTime(now);
    reader_.Take(bytes);
  }
  void End(const ProgramEnd& end, base::Time now) override {
    tracker_.SetTime(now);
    reader_.End();
    tracker_.End(end, reader_.IsReadable());
  }

 private:
  CaseTracker tracker_;
  OcptvReader reader_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_CASE_TRACKER_H_
