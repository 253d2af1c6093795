#include "coordinator/report/ocptv.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/json.h"
#include "base/names.h"
#include "coordinator/report/printable.h"
#include "muster/v1/ocptv.pb.h"

namespace muster::coordinator {
namespace {

namespace ocptv = v1::ocptv;

std::string OrUnknown(const std::string& text) { return text.empty() ? "unknown" : Printable(text); }

void SetText(google::protobuf::Struct& object, const std::string& key, const std::string& text) {
  if (!text.empty()) (*object.mutable_fields())[key].set_string_value(Printable(text));
}

// JSON has no infinities; they become text.
void SetValue(const v1::Measurement& measurement, google::protobuf::Value& value) {
  if (measurement.has_boolean()) {
    value.set_bool_value(measurement.boolean());
  } else if (measurement.has_number() && std::isfinite(measurement.number())) {
    value.set_number_value(measurement.number());
  } else {
    value.set_string_value(Printable(ValueText(measurement)));
  }
}

// "TIMED_OUT" as "timed-out": OCPTV's symptoms and verdicts are such words.
std::string Symbol(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return absl::AsciiStrToLower(name);
}

std::string VendorName(v1::Vendor vendor) {
  return vendor == v1::VENDOR_NVIDIA ? "NVIDIA" : vendor == v1::VENDOR_INTEL ? "Intel" : "";
}

// Which status a step or run ends with; a run's result follows from it.
enum class End { kPass, kFail, kSkip, kError };

End EndOf(const ReportedCase& one) {
  if (one.unfinished()) return End::kError;
  switch (OutcomeOf(one.verdict())) {
    case Outcome::kPassed:
      return End::kPass;
    case Outcome::kFailed:
      return End::kFail;
    case Outcome::kSkipped:
      return End::kSkip;
    default:
      return End::kError;
  }
}

const char* StatusName(End end) { return end == End::kSkip ? "SKIP" : end == End::kError ? "ERROR" : "COMPLETE"; }

// Writes one stream. Times never go back within it.
class StreamWriter {
 public:
  // `start_unix_ms`: when what the stream tells of began.
  explicit StreamWriter(int64_t start_unix_ms) {
    At(start_unix_ms);
    ocptv::Root root;
    root.mutable_schema_version()->set_major(2);
    root.mutable_schema_version()->set_minor(0);
    Write(root);
  }

  void AddJob(const RunReport& report, const ReportedJob& job);
  std::string Take() { return std::move(out_); }

 private:
  using SeriesKey =
      std::tuple<std::string, std::string, std::string, std::string>;  // Name, unit, device, subcomponent.

  void StartRun(const RunReport& report, const ReportedJob& job);
  void FillDut(const ReportedJob& job, ocptv::DutInfo& dut);
  void AddSoftware(ocptv::DutInfo& dut, const std::string& name, const std::string& version, const char* type);
  void AddStep(const ReportedCase& one);
  void AddMeasurements(const std::string& step, const std::vector<const v1::Measurement*>& measurements);
  void AddMeasurement(const std::string& step, const v1::Measurement& measurement);
  void AddSeries(const std::string& step, const std::vector<const v1::Measurement*>& elements);
  void AddDiagnoses(const std::string& step, const ReportedCase& one);
  void AddDiagnosis(const std::string& step, const std::string& verdict, const char* type, const std::string& message,
                    const v1::Diagnosis* origin);
  void AddError(ocptv::Error& error, const std::string& symptom, const std::string& message);

  // What a measurement and the start of a series have in common.
  template <typename Artifact>
  void Describe(const v1::Measurement& measurement, Artifact& artifact) {
    artifact.set_name(OrUnknown(measurement.name()));
    artifact.set_unit(Printable(measurement.unit()));
    for (const v1::Validator& validator : measurement.validators()) AddValidator(validator, *artifact.add_validators());
    if (const auto hardware = hardware_ids_.find(measurement.device_id()); hardware != hardware_ids_.end()) {
      artifact.set_hardware_info_id(hardware->second);
    }
    if (!measurement.subcomponent().empty())
      artifact.mutable_subcomponent()->set_name(Printable(measurement.subcomponent()));
  }
  static void AddValidator(const v1::Validator& from, ocptv::Validator& to) {
    to.set_type(from.type());
    to.set_name(Printable(from.name()));
    if (!base::FromJson(from.value_json(), base::UnknownFields::kRefuse, to.mutable_value()).ok()) {
      to.mutable_value()->set_string_value(Printable(from.value_json()));
    }
  }

  ocptv::TestStepArtifact& Step(ocptv::Root& root, const std::string& step) {
    root.mutable_test_step_artifact()->set_test_step_id(step);
    return *root.mutable_test_step_artifact();
  }
  void At(int64_t unix_ms) { now_unix_ms_ = std::max(now_unix_ms_, unix_ms); }
  void Write(ocptv::Root& root) {
    root.set_sequence_number(sequence_++);
    root.set_timestamp(Rfc3339(std::max<int64_t>(now_unix_ms_, 1)));
    out_.append(base::ToJson(root)).append("\n");
  }

  std::string out_;
  int32_t sequence_ = 0;
  int64_t now_unix_ms_ = 0;
  int next_step_ = 0;
  int next_series_ = 0;
  std::map<std::string, std::string> hardware_ids_;  // Of the current test run: device id to hardwareInfoId.
};

void StreamWriter::AddSoftware(ocptv::DutInfo& dut, const std::string& name, const std::string& version,
                               const char* type) {
  if (version.empty()) return;
  ocptv::SoftwareInfo& software = *dut.add_software_infos();
  software.set_software_info_id(absl::StrCat(dut.software_infos_size()));
  software.set_name(Printable(name));
  software.set_version(Printable(version));
  software.set_software_type(type);
}

void StreamWriter::FillDut(const ReportedJob& job, ocptv::DutInfo& dut) {
  dut.set_dut_info_id(OrUnknown(job.job->machine()));
  dut.set_name(OrUnknown(job.job->machine()));
  if (const v1::Machine* machine = job.machine; machine != nullptr) {
    if (!machine->cpu_model().empty()) dut.add_platform_infos()->set_info(Printable(machine->cpu_model()));
    AddSoftware(dut, "operating system", machine->os(), "SYSTEM");
    AddSoftware(dut, "kernel", machine->kernel(), "SYSTEM");
    AddSoftware(dut, "NixOS system", machine->nixos().system_closure(), "SYSTEM");
    AddSoftware(dut, "nixpkgs", machine->nixos().nixpkgs_revision(), "SYSTEM");
    AddSoftware(dut, "muster-agent", machine->agent_version(), "APPLICATION");
  }
  std::set<std::pair<std::string, std::string>> drivers;
  for (const v1::Device* device : job.devices) {
    ocptv::HardwareInfo& hardware = *dut.add_hardware_infos();
    hardware.set_hardware_info_id(absl::StrCat(dut.hardware_infos_size()));
    const bool unmarked = device->simulated() && !absl::StrContains(device->model(), "(simulated)");
    hardware.set_name(absl::StrCat(OrUnknown(device->model()), unmarked ? " (simulated)" : ""));
    hardware.set_version(Printable(device->vbios_version()));
    hardware.set_location(Printable(device->pci_address()));
    hardware.set_serial_number(Printable(device->serial()));
    hardware.set_part_type("GPU");
    hardware.set_manufacturer(VendorName(device->vendor()));
    hardware.set_odata_id(Printable(device->id()));
    hardware_ids_[device->id()] = hardware.hardware_info_id();
    if (device->simulated()) (*dut.mutable_metadata()->mutable_fields())["simulated"].set_bool_value(true);
    drivers.emplace(VendorName(device->vendor()), device->driver_version());
  }
  for (const auto& [vendor, version] : drivers) AddSoftware(dut, vendor + " driver", version, "SYSTEM");
}

void StreamWriter::StartRun(const RunReport& report, const ReportedJob& reported) {
  const v1::Job& job = *reported.job;
  hardware_ids_.clear();
  ocptv::Root root;
  ocptv::TestRunStart& start = *root.mutable_test_run_artifact()->mutable_test_run_start();
  start.set_name(OrUnknown(job.spec().suite()));
  const bool reports_version = reported.attempt != nullptr && !reported.attempt->suite_version().empty();
  start.set_version(Printable(reports_version ? reported.attempt->suite_version() : job.spec().suite_version()));
  start.set_command_line(reported.attempt != nullptr ? Printable(reported.attempt->command_line()) : "");
  start.mutable_parameters();
  for (const auto& [name, value] : job.spec().parameters()) SetText(*start.mutable_parameters(), name, value);
  FillDut(reported, *start.mutable_dut_info());
  google::protobuf::Struct& metadata = *start.mutable_metadata();
  SetText(metadata, "run", report.stored.run.id());
  SetText(metadata, "plan", report.stored.run.plan().name());
  SetText(metadata, "job", job.id());
  SetText(metadata, "machine", job.machine());
  if (reported.attempt != nullptr) {
    SetText(metadata, "attempt", absl::StrCat(reported.attempt->ref().attempt()));
    SetText(metadata, "fate", FateName(reported.attempt->fate()));
  }
  Write(root);
}

void StreamWriter::AddJob(const RunReport& report, const ReportedJob& job) {
  At(job.attempt != nullptr && job.attempt->started_unix_ms() > 0 ? job.attempt->started_unix_ms()
                                                                  : job.job->queued_unix_ms());
  StartRun(report, job);
  if (!job.measurements.empty()) {
    // OCPTV measures in steps only. A space, so that no case can have this name.
    ReportedCase whole;
    whole.result.set_case_name("whole job");
    whole.result.set_verdict(v1::PASSED);
    whole.measurements = job.measurements;
    AddStep(whole);
  }
  bool failed = false, error = job.broken(), passed = false;
  for (const ReportedCase& one : job.cases) {
    AddStep(one);
    failed = failed || EndOf(one) == End::kFail;
    error = error || EndOf(one) == End::kError;
    passed = passed || EndOf(one) == End::kPass;
  }
  // What could not be told outweighs nothing that failed.
  const End end = failed ? End::kFail : error ? End::kError : passed ? End::kPass : End::kSkip;
  if (job.attempt != nullptr) At(job.attempt->finished_unix_ms());
  if (job.broken()) {
    ocptv::Root root;
    AddError(*root.mutable_test_run_artifact()->mutable_error(), Symbol(FateName(job.attempt->fate())),
             job.attempt->detail());
    Write(root);
  }
  ocptv::Root root;
  ocptv::TestRunEnd& run_end = *root.mutable_test_run_artifact()->mutable_test_run_end();
  run_end.set_status(StatusName(end));
  run_end.set_result(end == End::kPass ? "PASS" : end == End::kFail ? "FAIL" : "NOT_APPLICABLE");
  Write(root);
}

void StreamWriter::AddStep(const ReportedCase& one) {
  const std::string step = absl::StrCat(next_step_++);
  At(one.result.started_unix_ms());
  ocptv::Root start;
  Step(start, step).mutable_test_step_start()->set_name(OrUnknown(one.result.case_name()));
  Write(start);
  AddMeasurements(step, one.measurements);
  At(one.result.started_unix_ms() + one.result.duration_ms());
  AddDiagnoses(step, one);
  for (const std::string& finding : one.result.findings()) {
    ocptv::Root root;
    ocptv::Log& log = *Step(root, step).mutable_log();
    log.set_severity("WARNING");
    log.set_message(Printable(finding));
    Write(root);
  }
  ocptv::Root end;
  Step(end, step).mutable_test_step_end()->set_status(StatusName(EndOf(one)));
  Write(end);
}

// Single ones in their order, then each series as a whole.
void StreamWriter::AddMeasurements(const std::string& step, const std::vector<const v1::Measurement*>& measurements) {
  std::map<SeriesKey, std::vector<const v1::Measurement*>> series;
  for (const v1::Measurement* one : measurements) {
    if (one->has_series_index()) {
      series[{one->name(), one->unit(), one->device_id(), one->subcomponent()}].push_back(one);
    } else {
      AddMeasurement(step, *one);
    }
  }
  for (auto& [key, elements] : series) {
    // The same index again begins a further series of the same name.
    std::vector<const v1::Measurement*> part;
    std::set<uint32_t> seen;
    for (const v1::Measurement* element : elements) {
      if (!seen.insert(element->series_index()).second) {
        AddSeries(step, std::exchange(part, {}));
        seen = {element->series_index()};
      }
      part.push_back(element);
    }
    AddSeries(step, part);
  }
}

void StreamWriter::AddMeasurement(const std::string& step, const v1::Measurement& measurement) {
  At(measurement.time_unix_ms());
  ocptv::Root root;
  ocptv::Measurement& artifact = *Step(root, step).mutable_measurement();
  Describe(measurement, artifact);
  SetValue(measurement, *artifact.mutable_value());
  Write(root);
}

void StreamWriter::AddSeries(const std::string& step, const std::vector<const v1::Measurement*>& elements) {
  const std::string id = absl::StrCat(next_series_++);
  ocptv::Root start;
  ocptv::MeasurementSeriesStart& series = *Step(start, step).mutable_measurement_series_start();
  series.set_measurement_series_id(id);
  Describe(*elements.front(), series);
  Write(start);
  int32_t index = 0;  // Counted anew: elements may have been dropped on their way.
  for (const v1::Measurement* one : elements) {
    At(one->time_unix_ms());
    ocptv::Root root;
    ocptv::MeasurementSeriesElement& element = *Step(root, step).mutable_measurement_series_element();
    element.set_index(index++);
    element.set_measurement_series_id(id);
    SetValue(*one, *element.mutable_value());
    element.set_timestamp(Rfc3339(std::max<int64_t>(one->time_unix_ms(), 1)));
    Write(root);
  }
  ocptv::Root end;
  Step(end, step).mutable_measurement_series_end()->set_measurement_series_id(id);
  end.mutable_test_step_artifact()->mutable_measurement_series_end()->set_total_count(index);
  Write(end);
}

void StreamWriter::AddDiagnoses(const std::string& step, const ReportedCase& one) {
  const End end = EndOf(one);
  bool failure_told = false;
  for (const v1::Diagnosis& diagnosis : one.result.diagnoses()) {
    // A step that does not end as failed must not hold a failure: that of a known issue, say.
    const bool fails = diagnosis.type() == v1::Diagnosis::FAIL && end == End::kFail;
    failure_told = failure_told || fails;
    AddDiagnosis(step, OrUnknown(diagnosis.verdict()),
                 fails                                     ? "FAIL"
                 : diagnosis.type() == v1::Diagnosis::PASS ? "PASS"
                                                           : "UNKNOWN",
                 diagnosis.message(), &diagnosis);
  }
  const std::string symbol = one.unfinished() ? "unfinished" : Symbol(VerdictName(one.verdict()));
  if (end == End::kFail && !failure_told) AddDiagnosis(step, symbol, "FAIL", one.result.reason(), nullptr);
  if (end == End::kSkip) AddDiagnosis(step, symbol, "UNKNOWN", one.result.reason(), nullptr);
  if (end == End::kError) {
    ocptv::Root root;
    AddError(*Step(root, step).mutable_error(), symbol, one.result.reason());
    Write(root);
  }
}

void StreamWriter::AddDiagnosis(const std::string& step, const std::string& verdict, const char* type,
                                const std::string& message, const v1::Diagnosis* origin) {
  ocptv::Root root;
  ocptv::Diagnosis& diagnosis = *Step(root, step).mutable_diagnosis();
  diagnosis.set_verdict(verdict);
  diagnosis.set_type(type);
  diagnosis.set_message(Printable(message));
  if (origin != nullptr) {
    if (const auto hardware = hardware_ids_.find(origin->device_id()); hardware != hardware_ids_.end()) {
      diagnosis.set_hardware_info_id(hardware->second);
    }
    if (!origin->subcomponent().empty()) diagnosis.mutable_subcomponent()->set_name(Printable(origin->subcomponent()));
  }
  Write(root);
}

void StreamWriter::AddError(ocptv::Error& error, const std::string& symptom, const std::string& message) {
  error.set_symptom(symptom);
  error.set_message(Printable(message));
}

}  // namespace

std::string OcptvLines(const RunReport& report) {
  StreamWriter writer(report.stored.run.created_unix_ms());
  for (const ReportedJob& job : ReportedJobs(report)) writer.AddJob(report, job);
  return writer.Take();
}

absl::StatusOr<std::string> OcptvLinesOfJob(const RunReport& report, std::string_view job_id) {
  for (const ReportedJob& job : ReportedJobs(report)) {
    if (job.job->id() != job_id) continue;
    StreamWriter writer(report.stored.run.created_unix_ms());
    writer.AddJob(report, job);
    return writer.Take();
  }
  return absl::NotFoundError(absl::StrCat("the run has no job ", base::Quoted(job_id)));
}

}  // namespace muster::coordinator
