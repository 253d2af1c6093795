// What a suite program is told: the MUSTER_* variables of docs/architecture.md section 5.
//
// Started by hand, without them, the program takes its cases and the parameters' defaults from suite.textproto in its
// own folder; a variable that is set goes over them (MUSTER_LEVEL=2 MUSTER_PARAMETERS='{"size":4096}' ./program).
#ifndef MUSTER_SUITES_SDK_ENVIRONMENT_H_
#define MUSTER_SUITES_SDK_ENVIRONMENT_H_

#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "muster/v1/fleet.pb.h"
#include "muster/v1/suite.pb.h"

namespace muster::sdk {

// JSON knows one kind of number: an integer parameter is a number without a fraction.
using ParameterValue = std::variant<double, bool, std::string>;

struct Environment {
  // Print OCPTV lines; otherwise for a reader at a terminal.
  bool ocptv = false;
  std::string suite;
  std::string suite_version;
  int level = 1;
  // Destructive cases were asked for as such.
  bool destructive = false;
  // Names of the cases to run. Empty: all.
  std::vector<std::string> cases;
  // Unset variable: false, and `devices` is for the program to discover.
  bool devices_given = false;
  std::vector<v1::Device> devices;
  std::string machine_name;
  std::map<std::string, std::string> machine_labels;
  // Of the manifest beside the program.
  std::vector<v1::Unproven> unproven;
  std::map<std::string, ParameterValue> parameters;
  // Empty: by hand; nothing collects artifacts.
  std::string artifact_dir;
  // Where the suite finds what its earlier runs on this machine left. Empty: by hand; nothing is kept.
  std::string state_dir;
  // Where the machine's /proc, /sys, /dev and /run are; another folder than "/" on simulated machines.
  std::string root = "/";
};

// The value of a variable, or null.
using VariableReader = std::function<const char*(const char*)>;

// `program_folder` is where suite.textproto may lie; there need be none.
absl::StatusOr<Environment> ReadEnvironment(const VariableReader& variable, const std::string& program_folder);

// `environment.cases` as a GoogleTest filter: "a.b:c.d"; "*" for all.
std::string GtestFilter(const Environment& environment);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_ENVIRONMENT_H_
