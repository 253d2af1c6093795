#include "agent/assembly.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/daemon.h"
#include "agent/executor/process_executor.h"
#include "agent/exporter/exporter.h"
#include "agent/health/kernel_log.h"
#include "agent/identity.h"
#include "agent/inventory/inventory.h"
#include "agent/inventory/probe.h"
#include "agent/link/channel.h"
#include "agent/memory.h"
#include "agent/version.h"
#include "base/event_catalogue.h"
#include "base/file.h"
#include "base/file_system.h"
#include "base/log.h"
#include "base/names.h"
#include "base/pci.h"
#include "base/status_macros.h"
#include "base/subprocess.h"

namespace muster::agent {
namespace {

// Two agents on one folder would give one number to two events.
absl::StatusOr<base::OwnedFd> LockFolder(const std::string& folder) {
  const std::string path = base::JoinPath(folder, "lock");
  base::OwnedFd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock.is_open()) return base::ErrnoStatus(errno, absl::StrCat("cannot open ", path));
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(absl::StrCat("another muster-agent uses ", folder,
                                                      "; stop it, or give this one a folder of its own (--state-dir)"));
  }
  return lock;
}

// Waits for SIGTERM and SIGINT on a thread of its own, which ends with the object. They must be blocked everywhere.
class SignalWaiter {
 public:
  explicit SignalWaiter(std::function<void(std::string)> on_signal)
      : thread_([on_signal = std::move(on_signal)] {
          const sigset_t signals = Signals();
          int signal = 0;
          while (sigwait(&signals, &signal) == 0 && signal != SIGUSR2) on_signal(base::SignalName(signal));
        }) {}
  ~SignalWaiter() {
    pthread_kill(thread_.native_handle(), SIGUSR2);
    thread_.join();
  }
  SignalWaiter(const SignalWaiter&) = delete;
  SignalWaiter& operator=(const SignalWaiter&) = delete;

  static void Block() {
    const sigset_t signals = Signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);
  }

 private:
  static sigset_t Signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGTERM, SIGINT, SIGUSR2}) sigaddset(&signals, number);
    return signals;
  }
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<Outbox>> OpenOutbox(const Options& options) {
  auto outbox = Outbox::Open(base::PosixFileSystem(), {.directory = base::JoinPath(options.state_dir, "outbox"),
                                                       .limit_bytes = options.outbox_limit_bytes});
  if (!outbox.ok()) return outbox.status();
  for (const std::string& note : (*outbox)->recovery_notes()) base::LogWarning("outbox: ", note);
  return outbox;
}

std::string NewInstance() {
  std::random_device random;
  return absl::StrCat(absl::Hex(random(), absl::kZeroPad8), absl::Hex(random(), absl::kZeroPad8));
}

// What this machine is and which suites it has. Blocks.
v1::Hello MakeHello(const InventoryOptions& inventory, const SuiteCatalogue& suites, const std::string& instance) {
  ChildProbe nvml(ProbeKind::kNvml);
  ChildProbe level_zero(ProbeKind::kLevelZero);
  v1::Hello hello;
  absl::StatusOr<v1::Machine> machine = CollectInventory(inventory, &nvml, &level_zero);
  if (machine.ok()) {
    *hello.mutable_machine() = *std::move(machine);
  } else {
    hello.mutable_machine()->add_notes(std::string(machine.status().message()));
  }
  hello.mutable_machine()->set_name(inventory.machine_name);
  for (v1::SuiteManifest& manifest : suites.Manifests()) *hello.add_suites() = std::move(manifest);
  for (const std::string& problem : suites.problems()) hello.add_suite_problems(problem);
  hello.set_agent_instance(instance);
  return hello;
}

std::unique_ptr<Monitor> MakeMonitor(base::EventLoop& loop, const Options& options, Monitor::Handlers handlers) {
  const base::EventCatalogue& catalogue = base::EventCatalogue::Embedded();
  Monitor::Parts parts{
      .start_sampler =
          [&](SamplerKind kind, SamplerProcess::Callbacks callbacks) {
            return SamplerProcess::Start(loop,
                                         {.kind = kind,
                                          .root = std::filesystem::absolute(options.root).string(),
                                          .interval_ms = options.telemetry_interval_ms,
                                          .hang_after_ms = std::max<int64_t>(5'000, 3 * options.telemetry_interval_ms)},
                                         std::move(callbacks));
          },
      .open_kernel_log =
          [&](KernelLogSource::Callbacks callbacks) {
            return OpenKernelLog(loop, catalogue, options.root, std::move(callbacks));
          },
      .bridges_above = [root = base::RootFolder(options.root)](
                           const std::string& address) { return base::PciBridgesAbove(root, address); },
      .interval_ms = options.telemetry_interval_ms};
  return std::make_unique<Monitor>(loop, catalogue, std::move(parts), std::move(handlers));
}

// Null when none are wanted or none can be: the agent does its work without.
std::unique_ptr<Exporter> StartExporter(base::EventLoop& loop, const Options& options, const std::string& machine,
                                        const Daemon& daemon) {
  if (options.metrics_listen.empty()) return nullptr;
  const auto look = [&options, &daemon, machine] {
    Exporter::State state{
        .facts = {.machine = machine,
                  .version = kVersion,
                  .connected = daemon.connected(),
                  .jobs_running = static_cast<uint64_t>(daemon.running_jobs()),
                  .stale_after_ms = std::max(AgentFacts().stale_after_ms, 3 * options.telemetry_interval_ms)}};
    if (daemon.monitor() != nullptr) state.monitor = daemon.monitor()->Snapshot();
    return state;
  };
  const auto coordinator = base::ParseHostPort(options.coordinator);
  auto exporter = Exporter::Start(loop,
                                  {.listen = options.metrics_listen,
                                   .advertise = options.metrics_advertise,
                                   .local = coordinator.ok() && base::IsLoopbackHost(coordinator->host),
                                   .compat = options.compat},
                                  look);
  if (!exporter.ok()) {
    base::LogWarning("no metrics: ", std::string(exporter.status().message()),
                     "; free the address, or choose another (--metrics-listen)");
    return nullptr;
  }
  base::LogInfo("metrics: http://", (*exporter)->address(), "/metrics",
                (*exporter)->metrics_address().empty()
                    ? "; on this machine only, the coordinator does not list it for Prometheus (--metrics-listen)"
                    : "");
  return *std::move(exporter);
}

// What a suite on a simulated machine needs to see the GPUs that the agent sees: `muster-sim env` prints them.
std::vector<std::string> SimulationVariables(const Options& options) {
  if (options.root == "/") return {};
  return {"MUSTER_SIM_SCENARIO", "MUSTER_SIM_MACHINE", "MUSTER_SIM_START_UNIX_MS", "MUSTER_SIM_KERNELS",
          "ZE_ENABLE_ALT_DRIVERS"};
}

absl::Status RunWithExecutor(const Options& options, const AgentIdentity& identity, const std::string& name) {
  InventoryOptions inventory{.machine_name = name,
                             .agent_version = kVersion,
                             .root = options.root,
                             .simulated = options.root != "/",
                             .labels = {options.labels.begin(), options.labels.end()}};
  RETURN_IF_ERROR(ValidateLabels(inventory.labels));
  if (access(options.suites_dir.c_str(), R_OK | X_OK) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("--suites-dir: expected a folder of suites that can be read, found '", options.suites_dir,
                     "': ", strerror(errno), "; it is PREFIX/libexec/muster/suites of an installation"));
  }
  base::ThreadEventLoop loop;
  std::string metrics_address;
  std::unique_ptr<Daemon> daemon;
  ASSIGN_OR_RETURN(const std::unique_ptr<ProcessExecutor> executor,
                   ProcessExecutor::Create({.suites_folder = options.suites_dir,
                                            .work_folder = base::JoinPath(options.state_dir, "work"),
                                            .suite_state_folder = base::JoinPath(options.state_dir, "suites"),
                                            .run_as_user = options.suite_user,
                                            .root = options.root,
                                            .pass_environment = SimulationVariables(options)},
                                           &loop, [&daemon] { return daemon->machine(); }));
  base::LogInfo("muster-agent ", kVersion, " as ", name, "; ", executor->DescribeEnclosure());
  for (const std::string& problem : executor->suites().problems()) base::LogWarning(problem);
  ASSIGN_OR_RETURN(std::unique_ptr<Outbox> outbox, OpenOutbox(options));
  Daemon::Parts parts{
      .coordinator = options.coordinator,
      .outbox = std::move(outbox),
      .executor = executor.get(),
      .make_channel = [&] { return identity.MakeChannel(); },
      .make_hello =
          [&, instance = NewInstance()] {
            v1::Hello hello = MakeHello(inventory, executor->suites(), instance);
            hello.mutable_machine()->set_metrics_address(metrics_address);
            return hello;
          },
      .make_monitor = [&](Monitor::Handlers handlers) { return MakeMonitor(loop, options, std::move(handlers)); },
      .renew_identity = [&] { identity.RenewWhenDue(); },
      .explain = [&] { return identity.Explain(); }};
  if (options.insecure_loopback) {
    parts.make_channel = [&]() -> absl::StatusOr<std::shared_ptr<grpc::Channel>> {
      return MakeChannel(options.coordinator, "", grpc::InsecureChannelCredentials());
    };
    parts.renew_identity = nullptr;
    parts.explain = nullptr;
  }
  daemon = std::make_unique<Daemon>(loop, std::move(parts));
  std::unique_ptr<Exporter> exporter = StartExporter(loop, options, name, *daemon);
  if (exporter != nullptr) metrics_address = exporter->metrics_address();
  absl::Status result;
  {
    const SignalWaiter signals([&daemon](std::string signal) { daemon->Stop(std::move(signal)); });
    result = daemon->Run();
  }
  exporter.reset();  // It looks at the daemon.
  daemon.reset();    // Its chore may still use the executor.
  return result;
}

}  // namespace

absl::Status RunAgent(const Options& options) {
  KeepMemorySmall();
  SignalWaiter::Block();
  RETURN_IF_ERROR(base::MakeFolders(options.state_dir, 0700));
  ASSIGN_OR_RETURN(const base::OwnedFd lock, LockFolder(options.state_dir));
  const AgentIdentity identity(base::JoinPath(options.state_dir, "identity"), options.coordinator);
  std::string name = options.name;
  if (!options.insecure_loopback) {
    RETURN_IF_ERROR(identity.LoadOrEnroll(options.token, options.name));
    ASSIGN_OR_RETURN(name, identity.Name());
  }
  if (options.enroll_only) return absl::OkStatus();
  return RunWithExecutor(options, identity, name);
}

}  // namespace muster::agent
