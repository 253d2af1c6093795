#include "suites/sdk/ocptv_report.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "absl/strings/str_format.h"

namespace muster::sdk {
namespace {

// Longer messages are cut: a line is for a person, and readers bound it.
constexpr size_t kMaxMessageBytes = 16 * 1024;

std::string Bounded(const std::string& message) {
  return message.size() <= kMaxMessageBytes ? message : message.substr(0, kMaxMessageBytes) + " … (cut)";
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

std::string ValueJson(const ParameterValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return JsonNumber(*number);
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "true" : "false";
  return JsonText(std::get<std::string>(value));
}

void AddLocation(JsonObject& object, const SourceLocation& location) {
  if (location.file.empty()) return;
  object.Object("sourceLocation", JsonObject().Text("file", location.file).Integer("line", location.line));
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
    hardware_ids_.emplace(device.id(), std::to_string(hardware_ids_.size() + 1));
  }
}

JsonObject OcptvReport::DutInfo() const {
  std::vector<std::string> software;
  for (const Software& one : software_) {
    JsonObject info;
    info.Text("softwareInfoId", std::to_string(software.size() + 1))
        .Text("name", one.name)
        .Text("version", one.version);
    software.push_back(info.Text("softwareType", one.type).Close());
  }
  std::vector<std::string> hardware;
  for (const v1::Device& device : environment_.devices) {
    JsonObject info;
    info.Text("hardwareInfoId", hardware_ids_.at(device.id()))
        .Text("name", device.model().empty() ? "GPU" : device.model());
    info.OptionalText("location", device.pci_address()).OptionalText("serialNumber", device.serial());
    info.OptionalText("manufacturer", device.vendor() == v1::VENDOR_NVIDIA  ? "NVIDIA"
                                      : device.vendor() == v1::VENDOR_INTEL ? "Intel"
                                                                            : "");
    hardware.push_back(info.Text("odataId", device.id()).Close());
  }
  JsonObject dut;
  dut.Text("dutInfoId", "1").OptionalText("name", environment_.machine_name);
  return dut.Raw("softwareInfos", JsonArray(software)).Raw("hardwareInfos", JsonArray(hardware));
}

void OcptvReport::Emit(absl::string_view root_key, const JsonObject& content) {
  JsonObject root;
  root.Integer("sequenceNumber", sequence_++).Text("timestamp", Timestamp(clock_())).Object(root_key, content);
  sink_(root.Close());
}

void OcptvReport::EmitInCase(absl::string_view key, const JsonObject& artifact) {
  Emit("testStepArtifact", JsonObject().Text("testStepId", std::to_string(steps_)).Object(key, artifact));
}

void OcptvReport::EmitInRun(absl::string_view key, const JsonObject& artifact) {
  Emit("testRunArtifact", JsonObject().Object(key, artifact));
}

void OcptvReport::AddHardware(JsonObject& object, const std::string& device_id) const {
  // An id outside dutInfo would be a broken reference: a device that is not leased goes unnamed.
  if (const auto id = hardware_ids_.find(device_id); id != hardware_ids_.end())
    object.Text("hardwareInfoId", id->second);
}

void OcptvReport::RunStart() {
  JsonObject parameters;
  for (const auto& [name, value] : environment_.parameters) parameters.Raw(name, ValueJson(value));
  JsonObject start;
  start.Text("name", environment_.suite.empty() ? "suite" : environment_.suite);
  start.Text("version", environment_.suite_version.empty() ? "0" : environment_.suite_version);
  start.Text("commandLine", command_line_).Object("parameters", parameters).Object("dutInfo", DutInfo());
  base::MutexLock lock(mutex_);
  Emit("schemaVersion", JsonObject().Integer("major", 2).Integer("minor", 0));
  EmitInRun("testRunStart", start);
}

void OcptvReport::CaseStart(const std::string& name) {
  base::MutexLock lock(mutex_);
  ++steps_;
  in_case_ = true;
  EmitInCase("testStepStart", JsonObject().Text("name", name));
}

void OcptvReport::Measure(const MeasurementRecord& measurement) {
  std::vector<std::string> validators;
  for (const Validator& validator : measurement.validators) {
    JsonObject object;
    object.Text("type", validator.type).Raw("value", validator.value_json).OptionalText("name", validator.name);
    validators.push_back(object.Close());
  }
  JsonObject object;
  object.Text("name", measurement.name)
      .Raw("value", ValueJson(measurement.value))
      .OptionalText("unit", measurement.unit);
  if (!validators.empty()) object.Raw("validators", JsonArray(validators));
  AddHardware(object, measurement.device_id);
  if (!measurement.subcomponent.empty()) {
    object.Object("subcomponent", JsonObject().Text("name", measurement.subcomponent));
  }
  base::MutexLock lock(mutex_);
  if (in_case_) {
    EmitInCase("measurement", object);
  } else {
    EmitInRun("log",
              JsonObject().Text("severity", "ERROR").Text("message", "measured outside of a case: " + object.Close()));
  }
}

void OcptvReport::Diagnose(const DiagnosisRecord& diagnosis) {
  JsonObject object;
  object.Text("verdict", diagnosis.verdict)
      .Text("type", Name(diagnosis.type))
      .OptionalText("message", Bounded(diagnosis.message));
  AddHardware(object, diagnosis.device_id);
  AddLocation(object, diagnosis.location);
  base::MutexLock lock(mutex_);
  failed_ |= diagnosis.type == DiagnosisType::kFail;
  if (in_case_) {
    EmitInCase("diagnosis", object);
  } else {
    EmitInRun("log",
              JsonObject().Text("severity", "ERROR").Text("message", "diagnosed outside of a case: " + object.Close()));
  }
}

void OcptvReport::Error(const ErrorRecord& error) {
  JsonObject object;
  object.Text("symptom", error.symptom).OptionalText("message", Bounded(error.message));
  AddLocation(object, error.location);
  base::MutexLock lock(mutex_);
  erred_ = true;
  in_case_ ? EmitInCase("error", object) : EmitInRun("error", object);
}

void OcptvReport::Log(Severity severity, const std::string& message) {
  JsonObject object;
  object.Text("severity", Name(severity)).Text("message", Bounded(message));
  base::MutexLock lock(mutex_);
  in_case_ ? EmitInCase("log", object) : EmitInRun("log", object);
}

void OcptvReport::CaseEnd(CaseStatus status) {
  base::MutexLock lock(mutex_);
  completed_ += status == CaseStatus::kComplete;
  erred_ |= status == CaseStatus::kError;
  EmitInCase("testStepEnd", JsonObject().Text("status", Name(status)));
  in_case_ = false;
}

void OcptvReport::RunEnd() {
  base::MutexLock lock(mutex_);
  JsonObject end;
  if (erred_) {
    end.Text("status", "ERROR").Text("result", "NOT_APPLICABLE");
  } else if (failed_) {
    end.Text("status", "COMPLETE").Text("result", "FAIL");
  } else if (completed_ > 0) {
    end.Text("status", "COMPLETE").Text("result", "PASS");
  } else {
    end.Text("status", "SKIP").Text("result", "NOT_APPLICABLE");
  }
  EmitInRun("testRunEnd", end);
}

OcptvReport::Sink DescriptorSink(int descriptor) {
  return [descriptor](absl::string_view line) {
    std::string text(line);
    text += '\n';
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
