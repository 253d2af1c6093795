// The environment of a suite program: docs/architecture.md, section 5. Nothing of the agent's own but what is listed
// there.
#ifndef MUSTER_AGENT_EXECUTOR_JOB_ENVIRONMENT_H_
#define MUSTER_AGENT_EXECUTOR_JOB_ENVIRONMENT_H_

#include <google/protobuf/struct.pb.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "muster/v1/fleet.pb.h"
#include "muster/v1/run.pb.h"
#include "muster/v1/suite.pb.h"

namespace muster::agent {

struct JobEnvironment {
  const v1::SuiteManifest* manifest = nullptr;
  const v1::JobSpec* spec = nullptr;
  const v1::Machine* machine = nullptr;  // With all its devices.
  std::vector<v1::Device> devices;       // The leased ones.
  google::protobuf::Struct parameters;   // Every declared one.
  std::string artifact_folder;
  std::string state_folder;  // Empty: none.
  std::string junit_file;
  std::string root = "/";         // Another on simulated machines.
  std::vector<std::string> pass;  // Names of further variables of the agent's that are passed on.

  // "NAME=value", in no particular order. `lookup` gives the agent's own variables.
  std::vector<std::string> Build(
      const std::function<std::optional<std::string>(const std::string& name)>& lookup) const;
};

// The manifest's arguments with "{junit_file}" filled in, and what the format adds to them.
std::vector<std::string> JobArguments(const v1::SuiteManifest& manifest, const v1::JobSpec& spec,
                                      const std::string& junit_file);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_JOB_ENVIRONMENT_H_
