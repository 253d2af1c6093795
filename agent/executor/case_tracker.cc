#include "agent/executor/case_tracker.h"

#include <utility>

#include "agent/executor/validator.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr size_t kMaxSteps = 8192;
constexpr size_t kMaxSeries = 1024;
constexpr size_t kMaxInfos = 4096;

v1::Diagnosis::Type TypeOf(const std::string& type) {
  if (type == "PASS") return v1::Diagnosis::PASS;
  if (type == "FAIL") return v1::Diagnosis::FAIL;
  return v1::Diagnosis::UNKNOWN;
}

// "VERDICT: MESSAGE", or what there is of it.
std::string Joined(const std::string& symbol, const std::string& message) {
  return message.empty() ? symbol : base::Text(symbol, ": ", message);
}

void SetValue(const google::protobuf::Value& value, v1::Measurement& measurement) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kNumberValue:
      measurement.set_number(value.number_value());
      break;
    case google::protobuf::Value::kBoolValue:
      measurement.set_boolean(value.bool_value());
      break;
    case google::protobuf::Value::kStringValue:
      measurement.set_text(value.string_value());
      break;
    default:
      break;
  }
}

bool IsScalar(const google::protobuf::Value& value) {
  return value.kind_case() == google::protobuf::Value::kNumberValue ||
         value.kind_case() == google::protobuf::Value::kBoolValue ||
         value.kind_case() == google::protobuf::Value::kStringValue;
}

template <typename Validators>
std::vector<v1::ocptv::Validator> Copy(const Validators& validators) {
  return {validators.begin(), validators.end()};
}

}  // namespace

CaseTracker::CaseTracker(OcptvMode mode, std::vector<v1::Device> devices, CaseBook* book, ResultReader::Log log)
    : mode_(mode), devices_(std::move(devices)), book_(*book), log_(std::move(log)) {}

void CaseTracker::OnStray(std::string_view line) {
  log_(v1::LOG_STREAM_STDOUT, line);
  log_(v1::LOG_STREAM_STDOUT, "\n");
}

// In the compatibility mode, too: what was lost may have been a failure.
void CaseTracker::OnFault(std::string_view kind, std::string_view text) { book_.FaultOpen(kind, text); }

void CaseTracker::OnNote(std::string_view kind, std::string_view text) { book_.NoteOpen(kind, text); }

void CaseTracker::Irregular(const std::string& case_name, std::string_view kind, std::string_view text) {
  if (mode_ == OcptvMode::kCompatible) return book_.Note(case_name, kind, text);
  if (case_name.empty()) return book_.FaultRun(v1::ERROR, kind, text);
  book_.Fault(case_name, kind, text);
}

void CaseTracker::OnArtifact(const v1::ocptv::Root& root) {
  artifact_unix_ms_ = ParseOcptvTime(root.timestamp(), mode_).value_or(now_.unix_ms);
  if (root.has_test_run_artifact()) return OnRunArtifact(root.test_run_artifact());
  if (!run_started_) Irregular("", "no-run-start", "a step is reported before testRunStart");
  if (run_ended_) Irregular("", "after-run-end", "a step is reported after testRunEnd");
  OnStepArtifact(root.test_step_artifact());
}

void CaseTracker::OnRunArtifact(const v1::ocptv::TestRunArtifact& artifact) {
  if (artifact.has_test_run_start()) return OnRunStart(artifact.test_run_start());
  if (artifact.has_test_run_end()) return OnRunEnd(artifact.test_run_end());
  if (artifact.has_log()) return OnLog(artifact.log());
  CheckSoftware("", artifact.error());
  book_.FaultRun(v1::ERROR, "run-error", Joined(artifact.error().symptom(), artifact.error().message()));
}

void CaseTracker::OnRunStart(const v1::ocptv::TestRunStart& start) {
  if (run_started_ && mode_ == OcptvMode::kStrict) {
    book_.FaultRun(v1::ERROR, "second-run", "testRunStart is there a second time, expected one run");
    return;
  }
  run_started_ = true;
  run_ended_ = false;
  for (const v1::ocptv::HardwareInfo& info : start.dut_info().hardware_infos()) {
    if (hardware_.size() >= kMaxInfos) return Irregular("", "too-many-infos", "dutInfo is too long");
    std::string& id = hardware_[info.hardware_info_id()];
    for (const v1::Device& device : devices_) {
      const bool same =
          (!info.odata_id().empty() && (info.odata_id() == device.id() || info.odata_id() == device.uuid())) ||
          (!info.serial_number().empty() && info.serial_number() == device.serial());
      if (same) id = device.id();
    }
  }
  for (const v1::ocptv::SoftwareInfo& info : start.dut_info().software_infos()) {
    if (software_.size() >= kMaxInfos) return Irregular("", "too-many-infos", "dutInfo is too long");
    software_.insert(info.software_info_id());
  }
}

void CaseTracker::OnRunEnd(const v1::ocptv::TestRunEnd& end) {
  if (!run_started_) Irregular("", "no-run-start", "testRunEnd without testRunStart");
  if (run_ended_) return Irregular("", "second-run-end", "testRunEnd is there a second time");
  run_ended_ = true;
  for (const auto& [id, step] : steps_) {
    if (!step.ended)
      Irregular(step.case_name, "step-not-ended", base::Text("testRunEnd came before the end of step ", id));
  }
  CheckRunEnd(end);
}

// What the program says of the run must be what its steps said.
void CaseTracker::CheckRunEnd(const v1::ocptv::TestRunEnd& end) {
  const bool complete = end.status() == "COMPLETE";
  if (complete == (end.result() == "NOT_APPLICABLE")) {
    Irregular("", "end-pair",
              base::Text("testRunEnd says ", end.status(), " with ", end.result(),
                         "; expected COMPLETE with PASS or FAIL, or ERROR or SKIP with NOT_APPLICABLE"));
  }
  const std::string said = base::Text("testRunEnd says ", end.status(), " ", end.result());
  if (end.result() == "PASS") {
    for (const std::string& name : book_.NamesWith(v1::FAILED)) {
      book_.Amend(name, v1::FAILED, "declared-pass", base::Text(said, " though this case failed"), now_);
    }
    return;
  }
  if (end.status() == "SKIP") return;
  if (book_.AllGreen()) book_.FaultRun(v1::ERROR, "declared-not-pass", base::Text(said, " though no case failed"));
}

void CaseTracker::OnStepArtifact(const v1::ocptv::TestStepArtifact& artifact) {
  using v1::ocptv::TestStepArtifact;
  const std::string& id = artifact.test_step_id();
  if (artifact.has_test_step_start()) return OnStepStart(id, artifact.test_step_start().name());
  const auto found = steps_.find(id);
  if (found == steps_.end()) {
    return Irregular("", "unknown-step", base::Text("step ", id.substr(0, 64), " was not started"));
  }
  Step& step = found->second;
  if (step.ended) {
    return Irregular("", "ended-step",
                     base::Text("step ", id.substr(0, 64), " (", step.case_name, ") reports after its end"));
  }
  switch (artifact.artifact_case()) {
    case TestStepArtifact::kTestStepEnd:
      return OnStepEnd(step, artifact.test_step_end().status());
    case TestStepArtifact::kMeasurement:
      return OnMeasurement(step, artifact.measurement());
    case TestStepArtifact::kMeasurementSeriesStart:
      return OnSeriesStart(step, artifact.measurement_series_start());
    case TestStepArtifact::kMeasurementSeriesElement:
      return OnSeriesElement(step, artifact.measurement_series_element());
    case TestStepArtifact::kMeasurementSeriesEnd:
      return OnSeriesEnd(step, artifact.measurement_series_end());
    case TestStepArtifact::kDiagnosis:
      return OnDiagnosis(step, artifact.diagnosis());
    case TestStepArtifact::kError:
      return OnError(step, artifact.error());
    case TestStepArtifact::kLog:
      return OnLog(artifact.log());
    default:
      return;  // Files are collected from the artifact folder; extensions are for others.
  }
}

void CaseTracker::OnStepStart(const std::string& id, const std::string& name) {
  if (steps_.contains(id))
    return Irregular("", "step-id-used", base::Text("step ", id.substr(0, 64), " is started a second time"));
  if (steps_.size() >= kMaxSteps)
    return book_.FaultRun(v1::ERROR, "too-many-steps", base::Text("more than ", kMaxSteps, " steps"));
  Step step;
  step.case_name = book_.Open(name, now_);
  if (!step.case_name.empty()) steps_.emplace(id, std::move(step));
}

void CaseTracker::OnStepEnd(Step& step, const std::string& status) {
  step.ended = true;
  for (const auto& [id, series] : step.series) {
    if (!series.ended)
      Irregular(step.case_name, "series-not-ended", base::Text("series ", id.substr(0, 64), " has no end"));
  }
  if (step.violated && !step.fail_diagnosis && (step.passed || status == "COMPLETE")) {
    book_.Note(step.case_name, "declared-pass",
               base::Text("the step ends without a FAIL diagnosis though ", step.failure));
  }
  if (step.fail_diagnosis && step.passed) {
    book_.Note(step.case_name, "mixed-diagnoses", "the step has both PASS and FAIL diagnoses; FAIL counts");
  }
  step.series.clear();
  if (!step.failure.empty()) return book_.Close(step.case_name, v1::FAILED, step.failure, now_);
  if (!step.error.empty()) return book_.Close(step.case_name, v1::ERROR, step.error, now_);
  if (status == "ERROR") return book_.Close(step.case_name, v1::ERROR, "the step ended with status ERROR", now_);
  if (status == "SKIP") {
    return book_.Close(step.case_name, v1::SKIPPED, step.skip.empty() ? "the program gave no reason" : step.skip, now_);
  }
  book_.Close(step.case_name, v1::PASSED, "", now_);
}

void CaseTracker::OnMeasurement(Step& step, const v1::ocptv::Measurement& measurement) {
  v1::Measurement out;
  out.set_name(measurement.name());
  out.set_unit(measurement.unit());
  out.set_device_id(DeviceOf(step.case_name, measurement.hardware_info_id()));
  out.set_subcomponent(measurement.subcomponent().name());
  out.set_time_unix_ms(artifact_unix_ms_);
  Check(step, measurement.value(), Copy(measurement.validators()), out);
  book_.Measure(step.case_name, std::move(out), now_);
}

// Sets the value and what the validators say of it, and remembers what does not hold.
void CaseTracker::Check(Step& step, const google::protobuf::Value& value,
                        const std::vector<v1::ocptv::Validator>& validators, v1::Measurement& measurement) {
  if (!IsScalar(value))
    Irregular(step.case_name, "value", base::Text(measurement.name(), " has no text, number or truth as its value"));
  SetValue(value, measurement);
  measurement.set_valid(true);
  for (const v1::ocptv::Validator& validator : validators) {
    v1::Validator& kept = *measurement.add_validators();
    kept.set_type(validator.type());
    kept.set_name(validator.name());
    kept.set_value_json(JsonText(validator.value()));
    const Validation validation = Validate(value, validator);
    if (validation.result == Validation::kHolds) continue;
    measurement.set_valid(false);
    const std::string text = base::Text("measurement ", measurement.name(), ": ", validation.text);
    if (validation.result == Validation::kUnsupported) {
      book_.Note(step.case_name, "validator-unsupported", text);
      if (step.error.empty()) step.error = text;
      continue;
    }
    step.violated = true;
    if (step.failure.empty()) step.failure = base::Text(text, " does not hold");
  }
}

void CaseTracker::OnSeriesStart(Step& step, const v1::ocptv::MeasurementSeriesStart& start) {
  if (step.series.size() >= kMaxSeries)
    return Irregular(step.case_name, "too-many-series", "too many series in one step");
  const auto [series, added] = step.series.try_emplace(start.measurement_series_id());
  if (!added) return Irregular(step.case_name, "series-id-used", base::Text("series ", start.name(), " reuses an id"));
  series->second.shape.set_name(start.name());
  series->second.shape.set_unit(start.unit());
  series->second.shape.set_device_id(DeviceOf(step.case_name, start.hardware_info_id()));
  series->second.shape.set_subcomponent(start.subcomponent().name());
  series->second.validators = Copy(start.validators());
}

void CaseTracker::OnSeriesElement(Step& step, const v1::ocptv::MeasurementSeriesElement& element) {
  const auto found = step.series.find(element.measurement_series_id());
  if (found == step.series.end() || found->second.ended) {
    return Irregular(
        step.case_name, "unknown-series",
        base::Text("an element of series ", element.measurement_series_id().substr(0, 64), ", which is not open"));
  }
  Series& series = found->second;
  ++series.elements;
  v1::Measurement out = series.shape;
  if (element.index() < 0)
    Irregular(step.case_name, "series-index", base::Text("an index of ", out.name(), " is negative"));
  out.set_series_index(element.index() < 0 ? 0 : element.index());
  out.set_time_unix_ms(ParseOcptvTime(element.timestamp(), mode_).value_or(artifact_unix_ms_));
  Check(step, element.value(), series.validators, out);
  book_.Measure(step.case_name, std::move(out), now_);
}

void CaseTracker::OnSeriesEnd(Step& step, const v1::ocptv::MeasurementSeriesEnd& end) {
  const auto found = step.series.find(end.measurement_series_id());
  if (found == step.series.end() || found->second.ended) {
    return Irregular(
        step.case_name, "unknown-series",
        base::Text("the end of series ", end.measurement_series_id().substr(0, 64), ", which is not open"));
  }
  Series& series = found->second;
  series.ended = true;
  if (series.elements != end.total_count()) {
    Irregular(step.case_name, "series-total",
              base::Text("series ", series.shape.name(), " says ", end.total_count(), " elements, ", series.elements,
                         " came"));
  }
}

void CaseTracker::OnDiagnosis(Step& step, const v1::ocptv::Diagnosis& diagnosis) {
  v1::Diagnosis out;
  out.set_verdict(diagnosis.verdict());
  out.set_type(TypeOf(diagnosis.type()));
  out.set_message(diagnosis.message());
  out.set_device_id(DeviceOf(step.case_name, diagnosis.hardware_info_id()));
  out.set_subcomponent(diagnosis.subcomponent().name());
  if (out.type() == v1::Diagnosis::FAIL) {
    if (!step.fail_diagnosis) step.failure = Joined(diagnosis.verdict(), diagnosis.message());
    if (step.failure.empty()) step.failure = "a diagnosis of type FAIL";
    step.fail_diagnosis = true;
  } else if (out.type() == v1::Diagnosis::PASS) {
    step.passed = true;
  } else if (diagnosis.verdict() == "skipped") {
    step.skip = diagnosis.message();
  }
  book_.Diagnose(step.case_name, std::move(out));
}

void CaseTracker::OnError(Step& step, const v1::ocptv::Error& error) {
  CheckSoftware(step.case_name, error);
  if (step.error.empty()) step.error = Joined(error.symptom(), error.message());
  if (step.error.empty()) step.error = "an error artifact";
}

void CaseTracker::OnLog(const v1::ocptv::Log& log) {
  log_(v1::LOG_STREAM_STDERR, base::Text("[", log.severity(), "] ", log.message(), "\n"));
}

std::string CaseTracker::DeviceOf(const std::string& case_name, const std::string& hardware_info_id) {
  if (hardware_info_id.empty()) return "";
  const auto found = hardware_.find(hardware_info_id);
  if (found != hardware_.end()) return found->second;
  Irregular(case_name, "unknown-hardware",
            base::Text("hardwareInfoId ", hardware_info_id.substr(0, 64), " is not in dutInfo"));
  return "";
}

void CaseTracker::CheckSoftware(const std::string& case_name, const v1::ocptv::Error& error) {
  for (const std::string& id : error.software_info_ids()) {
    if (software_.contains(id)) continue;
    Irregular(case_name, "unknown-software", base::Text("softwareInfoId ", id.substr(0, 64), " is not in dutInfo"));
  }
}

void CaseTracker::End(const ProgramEnd& end, bool readable) {
  if (end.stop != ProgramEnd::kNone || end.signal) return;
  if (readable && run_started_) {
    if (!run_ended_) book_.FaultRun(v1::ERROR, "no-run-end", "the output ends without testRunEnd");
    return;
  }
  const std::string text =
      base::Text("the program ", Describe(end), " and its output ",
                 readable ? "holds no testRunStart" : "is not OCPTV v2: it does not begin with schemaVersion 2.0");
  book_.FaultRun(v1::ERROR, "no-run-start", text);
  book_.FailMissing(text, now_);
}

}  // namespace muster::agent
