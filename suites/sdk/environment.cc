#include "suites/sdk/environment.h"

#include <google/protobuf/struct.pb.h>

#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/json.h"
#include "base/status_macros.h"
#include "base/textproto.h"
#include "muster/v1/suite.pb.h"

namespace muster::sdk {
namespace {

constexpr char kManifest[] = "suite.textproto";

// Unknown fields are ignored: the agent may be newer than the program.
absl::Status ParseJson(const std::string& json, google::protobuf::Message& message) {
  return base::FromJson(json, base::UnknownFields::kIgnore, &message);
}

ParameterValue DefaultOf(const v1::Parameter& parameter) {
  switch (parameter.kind_case()) {
    case v1::Parameter::kInteger:
      return static_cast<double>(parameter.integer().default_value());
    case v1::Parameter::kNumber:
      return parameter.number().default_value();
    case v1::Parameter::kBoolean:
      return parameter.boolean().default_value();
    default:
      return parameter.text().default_value();
  }
}

// The part of a manifest that a program run by hand needs; OK when there is no manifest.
absl::Status ApplyManifest(const std::string& folder, Environment& environment) {
  const std::string path = absl::StrCat(folder, "/", kManifest);
  if (!std::filesystem::exists(path)) return absl::OkStatus();
  v1::SuiteManifest manifest;
  RETURN_IF_ERROR(base::ReadTextProto(path, &manifest));
  environment.suite = manifest.name();
  environment.suite_version = manifest.version();
  environment.unproven.assign(manifest.unproven().begin(), manifest.unproven().end());
  for (const v1::Parameter& parameter : manifest.parameters()) {
    environment.parameters[parameter.name()] = DefaultOf(parameter);
  }
  for (const v1::Case& one : manifest.cases()) {
    if (one.level() <= environment.level && !one.destructive()) environment.cases.push_back(one.name());
  }
  return absl::OkStatus();
}

absl::Status ReadParameters(const std::string& json, Environment& environment) {
  google::protobuf::Struct values;
  if (auto status = ParseJson(json, values); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("MUSTER_PARAMETERS is not a JSON object: ", status.message()));
  }
  for (const auto& [name, value] : values.fields()) {
    switch (value.kind_case()) {
      case google::protobuf::Value::kNumberValue:
        environment.parameters[name] = value.number_value();
        break;
      case google::protobuf::Value::kBoolValue:
        environment.parameters[name] = value.bool_value();
        break;
      case google::protobuf::Value::kStringValue:
        environment.parameters[name] = value.string_value();
        break;
      default:
        return absl::InvalidArgumentError(
            absl::StrCat("MUSTER_PARAMETERS: \"", name, "\" must be a number, a truth value or text"));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadDevices(const std::string& json, Environment& environment) {
  // Protobuf's mapping has no bare array of messages: each element is taken out of a list value and mapped by itself.
  google::protobuf::ListValue list;
  if (auto status = ParseJson(json, list); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("MUSTER_DEVICES is not a JSON array: ", status.message()));
  }
  for (const auto& value : list.values()) {
    const absl::Status status = ParseJson(base::ToJson(value), environment.devices.emplace_back());
    if (!status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("MUSTER_DEVICES: not a muster.v1.Device: ", status.message()));
    }
  }
  environment.devices_given = true;
  return absl::OkStatus();
}

absl::Status ReadMachine(const std::string& json, Environment& environment) {
  v1::Machine machine;
  if (auto status = ParseJson(json, machine); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("MUSTER_MACHINE is not a muster.v1.Machine: ", status.message()));
  }
  environment.machine_labels.insert(machine.labels().begin(), machine.labels().end());
  environment.machine_name = machine.name().empty() ? machine.host_name() : machine.name();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Environment> ReadEnvironment(const VariableReader& variable, const std::string& program_folder) {
  const auto get = [&](const char* name) -> std::string {
    const char* value = variable(name);
    return value == nullptr ? "" : value;
  };
  Environment environment;
  if (const std::string level = get("MUSTER_LEVEL"); !level.empty()) {
    if (!absl::SimpleAtoi(level, &environment.level) || environment.level < 1 || environment.level > 4) {
      return absl::InvalidArgumentError(absl::StrCat("MUSTER_LEVEL is \"", level, "\"; it must be 1, 2, 3 or 4"));
    }
  }
  RETURN_IF_ERROR(ApplyManifest(program_folder, environment));
  environment.destructive = get("MUSTER_DESTRUCTIVE") == "1";
  environment.ocptv = get("MUSTER_OUTPUT") == "ocptv";
  environment.artifact_dir = get("MUSTER_ARTIFACT_DIR");
  environment.state_dir = get("MUSTER_STATE_DIR");
  if (const std::string root = get("MUSTER_ROOT"); !root.empty()) environment.root = root;
  if (const std::string suite = get("MUSTER_SUITE"); !suite.empty()) environment.suite = suite;
  if (const std::string version = get("MUSTER_SUITE_VERSION"); !version.empty()) environment.suite_version = version;
  if (const std::string cases = get("MUSTER_CASES"); !cases.empty()) {
    environment.cases = absl::StrSplit(cases, ',', absl::SkipEmpty());
  }
  if (const std::string json = get("MUSTER_PARAMETERS"); !json.empty())
    RETURN_IF_ERROR(ReadParameters(json, environment));
  if (const std::string json = get("MUSTER_DEVICES"); !json.empty()) RETURN_IF_ERROR(ReadDevices(json, environment));
  if (const std::string json = get("MUSTER_MACHINE"); !json.empty()) RETURN_IF_ERROR(ReadMachine(json, environment));
  return environment;
}

std::string GtestFilter(const Environment& environment) {
  return environment.cases.empty() ? "*" : absl::StrJoin(environment.cases, ":");
}

}  // namespace muster::sdk
