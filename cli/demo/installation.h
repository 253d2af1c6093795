// Where the programs and files of a demonstration are: beside the `muster` that runs, installed or in a build folder.
#ifndef MUSTER_CLI_DEMO_INSTALLATION_H_
#define MUSTER_CLI_DEMO_INSTALLATION_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace muster::cli {

struct Installation {
  std::string coordinator;  // Programs.
  std::string agent;
  std::string simulator;    // muster-sim
  std::string nvml_folder;  // Of the simulated libnvidia-ml.so.1.
  std::string level_zero;   // The simulated driver.
  std::string suites;
  std::string plans;       // Empty: there are none.
  std::string prometheus;  // The program; empty: not on PATH.
  std::string dashboards;  // Folder with prometheus/prometheus.yml; empty: there is none.
};

// `program_folder` holds `muster`; `path` is PATH. NotFound says what is missing and how to get it.
absl::StatusOr<Installation> FindInstallation(const std::string& program_folder, const std::string& path);

// The folder of the program that runs.
absl::StatusOr<std::string> OwnFolder();

}  // namespace muster::cli

#endif  // MUSTER_CLI_DEMO_INSTALLATION_H_
