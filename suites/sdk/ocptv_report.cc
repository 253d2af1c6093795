#include "suites/sdk/ocptv_report.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/json.h"
#include "base/utf8.h"

namespace muster::sdk {
namespace {

using v1::ocptv::TestRunArtifact;
using v1::ocptv::TestStepArtifact;

// Longer messages are cut: a line is for a person, and readers bound it.
constexpr size_t kMaxMessageBytes = 16 * 1024;

std::string Message(const std::string& text) {
  return base::ValidUtf8(text.size() <= kMaxMessageBytes ? text
                                                         : absl::StrCat(text.substr(0, kMaxMessageBytes), " … (cut)"));
}

std::string Timestamp(int64_t nanoseconds) {
  const std::time_t seconds = nanoseconds / 1'000'000'000;
  std::tm parts;
  gmtime_r(&seconds, &parts);
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                         parts.tm_hour, parts.tm_min, parts.tm_sec, nanoseconds % 1'000'000'000 / 1000);
}

const char* Name(DiagnosisType type) {
  switch (type) {
    case DiagnosisType::kPass:
      return "PASS";
    case DiagnosisType::kFail:
      return "FAIL";
    case DiagnosisType::kUnknown:
      break;
  }
  return "UNKNOWN";
}

const char* Name(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "INFO";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kError:
      break;
  }
  return "ERROR";
}

const char* Name(CaseStatus status) {
  switch (status) {
    case CaseStatus::kComplete:
      return "COMPLETE";
    case CaseStatus::kSkip:
      return "SKIP";
    case CaseStatus::kError:
      break;
  }
  return "ERROR";
}

const char* Name(v1::Vendor vendor) {
  switch (vendor) {
    case v1::VENDOR_NVIDIA:
      return "NVIDIA";
    case v1::VENDOR_INTEL:
      return "Intel";
    default:
      return "";
  }
}

google::protobuf::Value ToValue(const MeasuredValue& value) {
  google::protobuf::Value json;
  if (const auto* number = std::get_if<double>(&value)) {
    json.set_number_value(*number);
  } else if (const auto* truth = std::get_if<bool>(&value)) {
    json.set_bool_value(*truth);
  } else {
    json.set_string_value(base::ValidUtf8(std::get<std::string>(value)));
  }
  return json;
}

template <typename Artifact>
void SetLocation(const SourceLocation& location, Artifact& artifact) {
  if (location.file.empty()) return;
  artifact.mutable_source_location()->set_file(location.file);
  artifact.mutable_source_location()->set_line(location.line);
}

v1::ocptv::Log LogOf(Severity severity, const std::string& message) {
  v1::ocptv::Log log;
  log.set_severity(Name(severity));
  log.set_message(Message(message));
  return log;
}

}  // namespace

OcptvReport::OcptvReport(const Environment& environment, std::string command_line, std::vector<Software> software,
                         Sink sink, Clock clock)
    : environment_(environment),
      command_line_(std::move(command_line)),
      software_(std::move(software)),
      sink_(std::move(sink)),
      clock_(std::move(clock)) {
  for (const v1::Device& device : environment_.devices) {
    hardware_ids_.emplace(device.id(), absl::StrCat(hardware_ids_.size() + 1));
  }
}

v1::ocptv::TestRunStart OcptvReport::Start() const {
  v1::ocptv::TestRunStart start;
  start.set_name(environment_.suite.empty() ? "suite" : environment_.suite);
  start.set_version(environment_.suite_version);
  start.set_command_line(base::ValidUtf8(command_line_));
  auto& parameters = *start.mutable_parameters()->mutable_fields();
  for (const auto& [name, value] : environment_.parameters) parameters[name] = ToValue(value);
  v1::ocptv::DutInfo& dut = *start.mutable_dut_info();
  dut.set_dut_info_id("1");
  dut.set_name(environment_.machine_name);
  for (const Software& software : software_) {
    v1::ocptv::SoftwareInfo& info = *dut.add_software_infos();
    info.set_software_info_id(absl::StrCat(dut.software_infos_size()));
    info.set_name(software.name);
    info.set_version(software.version);
    info.set_software_type(software.type);
  }
  for (const v1::Device& device : environment_.devices) {
    v1::ocptv::HardwareInfo& info = *dut.add_hardware_infos();
    info.set_hardware_info_id(hardware_ids_.at(device.id()));
    info.set_name(device.model().empty() ? "GPU" : device.model());
    info.set_location(device.pci_address());
    info.set_serial_number(device.serial());
    info.set_manufacturer(Name(device.vendor()));
    info.set_odata_id(device.id());
  }
  return start;
}

void OcptvReport::Emit(v1::ocptv::Root root) {
  root.set_sequence_number(sequence_++);
  root.set_timestamp(Timestamp(clock_()));
  sink_(base::ToJson(root));
}

void OcptvReport::EmitInRun(TestRunArtifact artifact) {
  v1::ocptv::Root root;
  *root.mutable_test_run_artifact() = std::move(artifact);
  Emit(std::move(root));
}

void OcptvReport::EmitInCase(TestStepArtifact artifact) {
  if (!in_case_) {
    TestRunArtifact misplaced;
    *misplaced.mutable_log() =
        LogOf(Severity::kError, absl::StrCat("reported outside of a case: ", base::ToJson(artifact)));
    return EmitInRun(std::move(misplaced));
  }
  artifact.set_test_step_id(absl::StrCat(steps_));
  v1::ocptv::Root root;
  *root.mutable_test_step_artifact() = std::move(artifact);
  Emit(std::move(root));
}

std::string OcptvReport::HardwareId(const std::string& device_id) const {
  const auto id = hardware_ids_.find(device_id);
  return id == hardware_ids_.end() ? "" : id->second;
}

void OcptvReport::RunStart() {
  v1::ocptv::Root schema;
  schema.mutable_schema_version()->set_major(2);
  schema.mutable_schema_version()->set_minor(0);
  TestRunArtifact run;
  *run.mutable_test_run_start() = Start();
  base::MutexLock lock(mutex_);
  Emit(std::move(schema));
  EmitInRun(std::move(run));
}

void OcptvReport::CaseStart(const std::string& name) {
  TestStepArtifact artifact;
  artifact.mutable_test_step_start()->set_name(name);
  base::MutexLock lock(mutex_);
  ++steps_;
  in_case_ = true;
  EmitInCase(std::move(artifact));
}

void OcptvReport::Measure(const MeasurementRecord& measurement) {
  TestStepArtifact artifact;
  v1::ocptv::Measurement& out = *artifact.mutable_measurement();
  out.set_name(measurement.name);
  *out.mutable_value() = ToValue(measurement.value);
  out.set_unit(measurement.unit);
  for (const Validator& validator : measurement.validators) {
    v1::ocptv::Validator& added = *out.add_validators();
    added.set_type(validator.type);
    *added.mutable_value() = ToValue(validator.value);
  }
  out.set_hardware_info_id(HardwareId(measurement.device_id));
  if (!measurement.subcomponent.empty()) out.mutable_subcomponent()->set_name(measurement.subcomponent);
  base::MutexLock lock(mutex_);
  EmitInCase(std::move(artifact));
}

void OcptvReport::Diagnose(const DiagnosisRecord& diagnosis) {
  TestStepArtifact artifact;
  v1::ocptv::Diagnosis& out = *artifact.mutable_diagnosis();
  out.set_verdict(diagnosis.verdict);
  out.set_type(Name(diagnosis.type));
  out.set_message(Message(diagnosis.message));
  out.set_hardware_info_id(HardwareId(diagnosis.device_id));
  SetLocation(diagnosis.location, out);
  base::MutexLock lock(mutex_);
  failed_ |= diagnosis.type == DiagnosisType::kFail;
  EmitInCase(std::move(artifact));
}

void OcptvReport::Error(const ErrorRecord& error) {
  v1::ocptv::Error out;
  out.set_symptom(error.symptom);
  out.set_message(Message(error.message));
  SetLocation(error.location, out);
  TestStepArtifact in_case;
  TestRunArtifact in_run;
  base::MutexLock lock(mutex_);
  erred_ = true;
  if (in_case_) {
    *in_case.mutable_error() = std::move(out);
    EmitInCase(std::move(in_case));
  } else {
    *in_run.mutable_error() = std::move(out);
    EmitInRun(std::move(in_run));
  }
}

void OcptvReport::Log(Severity severity, const std::string& message) {
  TestStepArtifact in_case;
  TestRunArtifact in_run;
  base::MutexLock lock(mutex_);
  if (in_case_) {
    *in_case.mutable_log() = LogOf(severity, message);
    EmitInCase(std::move(in_case));
  } else {
    *in_run.mutable_log() = LogOf(severity, message);
    EmitInRun(std::move(in_run));
  }
}

void OcptvReport::CaseEnd(CaseStatus status) {
  TestStepArtifact artifact;
  artifact.mutable_test_step_end()->set_status(Name(status));
  base::MutexLock lock(mutex_);
  completed_ += status == CaseStatus::kComplete;
  erred_ |= status == CaseStatus::kError;
  EmitInCase(std::move(artifact));
  in_case_ = false;
}

void OcptvReport::RunEnd() {
  TestRunArtifact artifact;
  v1::ocptv::TestRunEnd& end = *artifact.mutable_test_run_end();
  base::MutexLock lock(mutex_);
  // Nothing that completed is nothing that passed.
  end.set_status(erred_ ? "ERROR" : completed_ == 0 ? "SKIP" : "COMPLETE");
  end.set_result(erred_ || completed_ == 0 ? "NOT_APPLICABLE" : failed_ ? "FAIL" : "PASS");
  EmitInRun(std::move(artifact));
}

OcptvReport::Sink DescriptorSink(int descriptor) {
  return [descriptor](const std::string& line) {
    const std::string text = line + '\n';
    for (size_t done = 0; done < text.size();) {
      const ssize_t written = write(descriptor, text.data() + done, text.size() - done);
      if (written > 0) {
        done += static_cast<size_t>(written);
      } else if (errno != EINTR) {
        std::_Exit(3);
      }
    }
  };
}

}  // namespace muster::sdk
