#include "coordinator/options.h"

#include <CLI/CLI.hpp>

namespace muster::coordinator {
namespace {

constexpr char kInsecureListen[] = "127.0.0.1:7443";

void AddServerOptions(CLI::App& app, ServerOptions& server) {
  app.add_option("--data-dir", server.data_folder, "folder of everything that the coordinator keeps")
      ->envname("MUSTER_COORDINATOR_DATA_DIR")
      ->required();
  app.add_option("--http-listen", server.http_listen, "HOST:PORT of /metrics and /healthz; \"\" for none")
      ->capture_default_str();
  app.add_option("--plans-dir", server.plans_folder, "folder with the plans that have a name, NAME.textproto")
      ->envname("MUSTER_PLANS_DIR");
  app.add_option("--heartbeat-interval-ms", server.core.heartbeat_interval_ms, "how often agents say what they run")
      ->capture_default_str()
      ->check(CLI::Range(10, 600'000));
  app.add_option("--lease-duration-ms", server.core.lease_duration_ms,
                 "how long a machine may be silent before its jobs are given up")
      ->capture_default_str()
      ->check(CLI::Range(100, 86'400'000));
  app.add_option("--keepalive-ms", server.keepalive_ms, "how often idle connections are probed")
      ->capture_default_str()
      ->check(CLI::Range(100, 3'600'000));
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, char** argv) {
  Options options;
  std::string log_level = "info";
  CLI::App app("Gives Muster's agents their work and keeps what they report.", "muster-coordinator");
  app.set_version_flag("--version", MUSTER_VERSION);
  app.set_config("--config", "", "file of these options, a line each: name=value");
  AddServerOptions(app, options.server);
  CLI::Option* listen = app.add_option("--listen", options.server.listen, "HOST:PORT for agents and users");
  listen->capture_default_str();
  app.add_flag("--insecure-loopback", options.server.insecure_loopback,
               "no TLS, for this machine alone, everybody is admin; for trying things out");
  app.add_option("--ready-file", options.ready_file,
                 "file to write the addresses to, as JSON, when the coordinator serves");
  app.add_option("--log-level", log_level, "debug, info, warning or error")->capture_default_str();
  CLI::App* init = app.add_subcommand("init", "make the certificate authority and the first admin's identity, and end");
  init->fallthrough();
  init->add_option("--host", options.hosts, "name or address that others reach this coordinator by; may be repeated");
  app.add_subcommand("serve", "serve (what is done without a command)")->fallthrough();
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
    const auto level = base::ParseLogLevel(log_level);
    if (!level.ok()) throw CLI::ValidationError("--log-level", std::string(level.status().message()));
    options.log_level = *level;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.init = init->parsed();
  if (options.server.insecure_loopback && listen->count() == 0) options.server.listen = kInsecureListen;
  return options;
}

}  // namespace muster::coordinator
