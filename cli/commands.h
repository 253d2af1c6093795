// The commands of `muster`: options in, exit status out. command_line.h reads the options from the arguments.
//
// A command prints results to the context's `out`. An error of the machinery or of the request is returned, and printed
// by the caller.
#ifndef MUSTER_CLI_COMMANDS_H_
#define MUSTER_CLI_COMMANDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/completion.h"
#include "cli/context.h"
#include "cli/demo/demo_options.h"
#include "cli/device_names.h"
#include "cli/run_request.h"

namespace muster::cli {

// Files that a finished run leaves. Empty: not wanted; "-": standard output.
struct ReportFiles {
  std::string junit;
  std::string ocptv;
  std::string json;
};

struct RunOptions {
  RunRequestOptions request;
  ReportFiles reports;
  bool detach = false;
  bool strict = false;
  int64_t reconnect_for_ms = 300'000;
};
struct WatchOptions {
  std::string run_id;
  ReportFiles reports;
  bool strict = false;
  int64_t reconnect_for_ms = 300'000;
};
struct RunsOptions {
  uint32_t limit = 20;
  std::string plan;
  bool json = false;
};
struct ShowOptions {
  std::string run_id;
  bool all = false;
  bool figures = false;
  bool json = false;
  bool all_attempts = false;
};
struct CancelOptions {
  std::string run_id;
  std::string reason;
};
struct LogsOptions {
  std::string id;  // Of a run or a job.
  uint32_t attempt = 0;
  std::string stream;  // stderr, stdout or agent; empty: all.
  bool follow = false;
};
struct ArtifactsOptions {
  std::string run_id;
  bool json = false;
};
struct ArtifactOptions {
  std::string job_id;
  std::string name;
  uint32_t attempt = 0;
  std::string output;  // Empty: the artifact's name in the current folder.
};
struct ReportOptions {
  std::string run_id;
  std::string format = "junit";
  std::string output = "-";
};
struct PlansOptions {
  bool json = false;
};
struct MachinesOptions {
  std::string on;
  bool json = false;
};
struct MachineOptions {
  std::string name;
  bool events = false;
  bool json = false;
};
struct QuarantineOptions {
  std::string target;  // MACHINE or MACHINE/DEVICE.
  std::string reason;
  bool json = false;
};
struct TokenOptions {
  std::string role = "agent";
  std::string name;
  std::string lifetime = "1h";
  bool json = false;
};
struct EnrollOptions {
  std::string token;  // "-": read from standard input.
  std::string name;   // Empty: the login name.
  bool replace = false;
};

absl::StatusOr<int> RunRun(const RunOptions& options, Context& context);
absl::StatusOr<int> RunWatch(const WatchOptions& options, Context& context);

absl::StatusOr<int> RunRuns(const RunsOptions& options, Context& context);
absl::StatusOr<int> RunShow(const ShowOptions& options, Context& context);
absl::StatusOr<int> RunCancel(const CancelOptions& options, Context& context);

absl::StatusOr<int> RunLogs(const LogsOptions& options, Context& context);
absl::StatusOr<int> RunArtifacts(const ArtifactsOptions& options, Context& context);
absl::StatusOr<int> RunArtifactGet(const ArtifactOptions& options, Context& context);
absl::StatusOr<int> RunReport(const ReportOptions& options, Context& context);

absl::StatusOr<int> RunPlans(const PlansOptions& options, Context& context);
absl::StatusOr<int> RunMachines(const MachinesOptions& options, Context& context);
absl::StatusOr<int> RunMachine(const MachineOptions& options, Context& context);

absl::StatusOr<int> RunQuarantine(const QuarantineOptions& options, Context& context);
absl::StatusOr<int> RunRelease(const QuarantineOptions& options, Context& context);

// cli/demo/demo.h.
absl::StatusOr<int> RunDemo(const DemoOptions& options, Context& context);

absl::StatusOr<int> RunTokenCreate(const TokenOptions& options, Context& context);
absl::StatusOr<int> RunEnroll(const EnrollOptions& options, Context& context);

// What completion asks the coordinator for; empty when it does not answer at once.
std::vector<Candidate> LookUpCandidates(Values values, Context& context);

// Writes the reports that are wanted, each whole or not at all.
absl::Status WriteReports(const ReportFiles& files, const std::string& run_id, Context& context);
// The exit status that a finished run's colour gives.
int ExitOf(const v1::Run& run, bool strict);
// Names of the fleet's devices; empty when the coordinator does not tell.
DeviceNames FetchDeviceNames(Client& client);

}  // namespace muster::cli

#endif  // MUSTER_CLI_COMMANDS_H_
