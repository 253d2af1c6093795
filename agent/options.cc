#include "agent/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/version.h"
#include "base/file.h"
#include "base/host_port.h"
#include "base/names.h"

namespace muster::agent {
namespace {

// What CLI11 gives and Options holds in another form.
struct RawOptions {
  std::vector<std::string> labels;
  std::string token_file;
  std::string log_level = "info";
  std::vector<std::string> compat;
  uint64_t outbox_limit_mib = 256;
};

std::string OwnName() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return base::MachineNameFromHost(host);
}

bool IsLoopback(const std::string& address) {
  const absl::StatusOr<base::HostPort> parsed = base::ParseHostPort(address);
  return parsed.ok() && base::IsLoopbackHost(parsed->host);
}

// Throws CLI::ValidationError unless `address` is empty or HOST:PORT.
void CheckAddress(const std::string& option, const std::string& address) {
  if (address.empty()) return;
  const absl::StatusOr<base::HostPort> parsed = base::ParseHostPort(address);
  if (!parsed.ok()) throw CLI::ValidationError(option, std::string(parsed.status().message()));
}

// Throws CLI::ValidationError, which CLI11 prints.
void Complete(const RawOptions& raw, Options& options) {
  for (const std::string& label : raw.labels) {
    const size_t equals = label.find('=');
    if (equals == std::string::npos)
      throw CLI::ValidationError("--label", "expected KEY=VALUE, found " + base::Quoted(label));
    options.labels[label.substr(0, equals)] = label.substr(equals + 1);
  }
  if (!raw.token_file.empty()) {
    const auto token = base::ReadFile(raw.token_file, 4'096);
    if (!token.ok()) throw CLI::ValidationError("--token-file", std::string(token.status().message()));
    options.token = *token;
  }
  const auto level = base::ParseLogLevel(raw.log_level);
  if (!level.ok()) throw CLI::ValidationError("--log-level", std::string(level.status().message()));
  options.log_level = *level;
  options.outbox_limit_bytes = raw.outbox_limit_mib << 20;
  CheckAddress("--metrics-listen", options.metrics_listen);
  CheckAddress("--metrics-advertise", options.metrics_advertise);
  for (const std::string& name : raw.compat) {
    const std::optional<Compat> compat = ParseCompat(name);
    if (!compat) throw CLI::ValidationError("--compat", "expected dcgm or xpum, found " + base::Quoted(name));
    if (std::find(options.compat.begin(), options.compat.end(), *compat) == options.compat.end()) {
      options.compat.push_back(*compat);
    }
  }
  if (options.name.empty()) options.name = OwnName();
  if (const absl::Status status = base::CheckMachineName(options.name); !status.ok()) {
    throw CLI::ValidationError("--name", std::string(status.message()));
  }
  if (options.insecure_loopback && !IsLoopback(options.coordinator)) {
    throw CLI::ValidationError("--insecure-loopback", "is for a coordinator on this machine, found " +
                                                          base::Quoted(options.coordinator) +
                                                          "; give an enrolment token (--token) instead");
  }
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, char** argv) {
  Options options;
  RawOptions raw;
  CLI::App app("Runs Muster's test suites on this machine's GPUs for a coordinator.", "muster-agent");
  app.set_version_flag("--version", kVersion);
  app.set_config("--config", "", "file of these options, a line each: name=value");
  app.add_option("--coordinator", options.coordinator, "HOST:PORT of the coordinator")
      ->required()
      ->envname("MUSTER_COORDINATOR");
  app.add_option("--name", options.name, "this machine's name in the fleet [the host's name]");
  app.add_option("--state-dir", options.state_dir, "where identity and unsent results are kept")->capture_default_str();
  app.add_option("--suites-dir", options.suites_dir, "folder with a folder for each suite")
      ->envname("MUSTER_SUITES_DIR");
  auto* token = app.add_option("--token", options.token, "enrolment token, for the first start (muster token create)")
                    ->envname("MUSTER_TOKEN");
  app.add_option("--token-file", raw.token_file,
                 "file with the enrolment token; others cannot see it in the process list")
      ->excludes(token);
  app.add_option("--label", raw.labels, "KEY=VALUE that plans can select this machine by; may be repeated");
  app.add_option("--outbox-limit-mib", raw.outbox_limit_mib, "most that unsent results may take on disk")
      ->capture_default_str()
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 20));
  app.add_option("--suite-user", options.suite_user, "user whom suite programs run as [the agent's own]");
  app.add_option("--metrics-listen", options.metrics_listen,
                 "HOST:PORT on which Prometheus reads this machine's metrics; empty for none")
      ->capture_default_str();
  app.add_option("--metrics-advertise", options.metrics_advertise,
                 "HOST:PORT under which Prometheus finds them [as listened on]");
  app.add_option("--compat", raw.compat,
                 "dcgm or xpum: metrics by the names of dcgm-exporter or xpumanager besides; may be repeated");
  app.add_option("--root", options.root, "where /proc, /sys and /dev/kmsg are; for simulated machines")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--telemetry-interval-ms", options.telemetry_interval_ms, "how often the GPUs are read")
      ->capture_default_str()
      ->check(CLI::Range(int64_t{100}, int64_t{60'000}));
  app.add_option("--log-level", raw.log_level, "debug, info, warning or error")->capture_default_str();
  app.add_flag("--insecure-loopback", options.insecure_loopback,
               "no TLS, to a coordinator on this machine; for trying things out");
  auto* enroll = app.add_subcommand("enroll", "use the token, keep the identity, and end")->fallthrough();
  try {
    app.parse(argc, argv);
    options.enroll_only = enroll->parsed();
    Complete(raw, options);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : 2;
  }
  return options;
}

}  // namespace muster::agent
