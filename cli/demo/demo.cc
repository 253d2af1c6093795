#include "cli/demo/demo.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "cli/demo/prometheus_setup.h"
#include "cli/demo/ready_file.h"
#include "cli/health_view.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPump{100};
constexpr milliseconds kLookEvery{500};
constexpr milliseconds kAlertsEvery{2'000};
constexpr std::chrono::seconds kStartPatience{60};
constexpr std::chrono::seconds kFirstFault{5};
// A fault that has not shown by then is said not to have.
constexpr std::chrono::seconds kShowPatience{40};
// How much of the time between two faults one lasts.
constexpr double kFaultShare = 0.6;
constexpr double kLongestFaultSeconds = 120;
constexpr uint64_t kMaxLogBytes = 1 << 20;

double Seconds(std::chrono::steady_clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

std::chrono::steady_clock::duration FromSeconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
}

// The devices of a machine in the order in which they are numbered.
std::vector<const v1::Device*> InOrder(const v1::MachineStatus& status) {
  std::vector<const v1::Device*> devices;
  for (const v1::Device& device : status.machine().devices()) devices.push_back(&device);
  std::sort(devices.begin(), devices.end(),
            [](const v1::Device* a, const v1::Device* b) { return a->pci_address() < b->pci_address(); });
  return devices;
}

// Null when the fleet says nothing of it.
const v1::DeviceHealth* HealthOf(const std::map<std::string, v1::MachineStatus>& fleet, const std::string& machine,
                                 size_t gpu) {
  const auto found = fleet.find(machine);
  if (found == fleet.end()) return nullptr;
  const std::vector<const v1::Device*> devices = InOrder(found->second);
  if (gpu >= devices.size()) return nullptr;
  for (const v1::DeviceHealth& health : found->second.health().devices()) {
    if (health.device_id() == devices[gpu]->id()) return &health;
  }
  return nullptr;
}

std::set<std::string> CodesOf(const v1::DeviceHealth* health) {
  std::set<std::string> codes;
  if (health == nullptr) return codes;
  for (const v1::HealthCondition& condition : health->conditions()) codes.insert(condition.code());
  return codes;
}

}  // namespace

Demo::Demo(const DemoOptions& options, const Installation& installation, Context& context)
    : options_(options),
      installation_(installation),
      context_(context),
      fleet_(static_cast<size_t>(options.machines), options.seed) {}

Demo::~Demo() {
  children_.End();
  std::error_code ignored;
  if (folder_is_ours_) std::filesystem::remove_all(folder_, ignored);
}

std::string Demo::Path(const std::string& name) const { return base::JoinPath(folder_, name); }
std::string Demo::NameOf(const Target& target) const {
  return absl::StrCat(fleet_.machines()[target.machine].name, " gpu ", target.gpu);
}
double Demo::SecondsNow() const {
  return static_cast<double>(context_.environment().now_unix_ms() - start_unix_ms_) / 1e3;
}
void Demo::Say(const std::string& line) const {
  context_.out() << absl::FormatTime("%H:%M:%S", absl::FromUnixMillis(context_.environment().now_unix_ms()),
                                     absl::LocalTimeZone())
                 << " SIMULATED " << line << std::endl;
}

absl::Status Demo::MakeFolder() {
  if (!options_.dir.empty()) {
    RETURN_IF_ERROR(base::MakeFolders(options_.dir, 0700));
    folder_ = std::filesystem::absolute(options_.dir).string();
    if (!std::filesystem::is_empty(folder_)) {
      return absl::InvalidArgumentError(absl::StrCat("--dir: expected a folder that is empty or not there yet, found ",
                                                     folder_, " with something in it"));
    }
    return absl::OkStatus();
  }
  const char* temporary = getenv("TMPDIR");
  std::string pattern = base::JoinPath(temporary != nullptr ? temporary : "/tmp", "muster-demo-XXXXXX");
  if (mkdtemp(pattern.data()) == nullptr) return base::ErrnoStatus(errno, absl::StrCat("cannot make ", pattern));
  folder_ = pattern;
  folder_is_ours_ = true;
  return absl::OkStatus();
}

absl::Status Demo::WriteScenario() const {
  return base::WriteFileAtomic(Path("scenario.textproto"), fleet_.ScenarioText());
}

template <typename Condition>
absl::Status Demo::WaitFor(const std::string& what, Condition done) {
  const Clock::time_point patience = Clock::now() + kStartPatience;
  while (true) {
    RETURN_IF_ERROR(children_.Pump(kPump));
    ASSIGN_OR_RETURN(const bool is_done, done());
    if (is_done) return absl::OkStatus();
    if (context_.environment().take_interrupt() == Interrupt::kCancel)
      return absl::CancelledError("ended while starting");
    if (Clock::now() > patience) {
      return absl::DeadlineExceededError(
          absl::StrCat("not within ", kStartPatience.count(), " s: ", what, "; the logs are in ", folder_));
    }
  }
}

absl::Status Demo::StartCoordinator() {
  const std::string ready = Path("ready.json");
  std::vector<std::string> arguments = {
      "serve",       "--insecure-loopback", "--data-dir",  Path("coordinator"), "--listen",
      "127.0.0.1:0", "--http-listen",       "127.0.0.1:0", "--ready-file",      ready};
  if (!installation_.plans.empty()) arguments.insert(arguments.end(), {"--plans-dir", installation_.plans});
  RETURN_IF_ERROR(children_.Start({.name = "muster-coordinator",
                                   .program = installation_.coordinator,
                                   .arguments = std::move(arguments),
                                   .log = Path("coordinator.log")}));
  RETURN_IF_ERROR(WaitFor("the coordinator serves", [&]() -> absl::StatusOr<bool> { return base::FileExists(ready); }));
  ASSIGN_OR_RETURN(const ReadyAddresses addresses, ReadReadyFile(ready));
  address_ = addresses.listen;
  http_address_ = addresses.http;
  client_ = std::make_unique<Client>(Endpoint{.address = address_, .insecure = true});
  client_->SetDeadline(milliseconds(5'000));
  return absl::OkStatus();
}

absl::Status Demo::StartMachine(const DemoFleet::Machine& machine) {
  const std::string root = Path(absl::StrCat(machine.name, "/root"));
  RETURN_IF_ERROR(base::MakeFolders(root));
  const std::vector<std::string> environment = {absl::StrCat("MUSTER_SIM_SCENARIO=", Path("scenario.textproto")),
                                                absl::StrCat("MUSTER_SIM_MACHINE=", machine.name),
                                                absl::StrCat("MUSTER_SIM_START_UNIX_MS=", start_unix_ms_),
                                                absl::StrCat("LD_LIBRARY_PATH=", installation_.nvml_folder),
                                                absl::StrCat("ZE_ENABLE_ALT_DRIVERS=", installation_.level_zero)};
  const std::string log = Path(absl::StrCat(machine.name, "-sim.log"));
  RETURN_IF_ERROR(
      children_.Start({.name = absl::StrCat("muster-sim of ", machine.name),
                       .program = installation_.simulator,
                       .arguments = {"serve", "--scenario", Path("scenario.textproto"), "--machine", machine.name,
                                     "--root", root, "--start-unix-ms", absl::StrCat(start_unix_ms_)},
                       .log = log}));
  RETURN_IF_ERROR(WaitFor(absl::StrCat(machine.name, " is simulated"), [&]() -> absl::StatusOr<bool> {
    ASSIGN_OR_RETURN(const std::string said, base::ReadFile(log, kMaxLogBytes));
    return said.find("ready") != std::string::npos;
  }));
  return children_.Start(
      {.name = absl::StrCat("muster-agent of ", machine.name),
       .program = installation_.agent,
       .arguments = {"--coordinator", address_, "--insecure-loopback", "--name", machine.name, "--state-dir",
                     Path(absl::StrCat(machine.name, "/state")), "--suites-dir", installation_.suites, "--root", root,
                     "--metrics-listen", "127.0.0.1:0", "--label", "simulated=true"},
       .environment = environment,
       .log = Path(absl::StrCat(machine.name, "-agent.log"))});
}

absl::Status Demo::StartPrometheus() {
  if (installation_.prometheus.empty() || options_.no_prometheus) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string config,
                   WritePrometheusConfig(installation_.dashboards, http_address_, Path("prometheus")));
  ASSIGN_OR_RETURN(prometheus_address_, FreeLoopbackAddress());
  return children_.Start({.name = "prometheus",
                          .program = installation_.prometheus,
                          .arguments = {"--config.file=" + config, "--storage.tsdb.path=" + Path("prometheus/data"),
                                        "--web.listen-address=" + prometheus_address_, "--log.level=warn"},
                          .log = Path("prometheus.log"),
                          .may_end = true});
}

absl::Status Demo::Start() {
  RETURN_IF_ERROR(MakeFolder());
  start_unix_ms_ = context_.environment().now_unix_ms();
  RETURN_IF_ERROR(WriteScenario());
  RETURN_IF_ERROR(StartCoordinator());
  for (const DemoFleet::Machine& machine : fleet_.machines()) RETURN_IF_ERROR(StartMachine(machine));
  RETURN_IF_ERROR(StartPrometheus());
  Fleet fleet;
  std::string missing;
  const absl::Status there = WaitFor("all simulated GPUs are there and healthy", [&]() -> absl::StatusOr<bool> {
    ASSIGN_OR_RETURN(fleet, Look());
    missing = Missing(fleet);
    return missing.empty();
  });
  if (absl::IsDeadlineExceeded(there)) {
    return absl::DeadlineExceededError(absl::StrCat(there.message(), "; ", missing));
  }
  RETURN_IF_ERROR(there);
  SayWhereThingsAre(fleet);
  started_ = Clock::now();
  next_fault_ = started_ + (options_.once.empty() ? kFirstFault : std::chrono::seconds(0));
  return absl::OkStatus();
}

absl::StatusOr<Demo::Fleet> Demo::Look() {
  ASSIGN_OR_RETURN(const v1::ListMachinesResponse response, client_->ListMachines({}));
  Fleet fleet;
  for (const v1::MachineStatus& status : response.machines()) fleet[status.machine().name()] = status;
  return fleet;
}

std::string Demo::Missing(const Fleet& fleet) const {
  for (const DemoFleet::Machine& machine : fleet_.machines()) {
    const auto found = fleet.find(machine.name);
    if (found == fleet.end() || !found->second.connected()) return absl::StrCat(machine.name, " is not connected");
    for (size_t gpu = 0; gpu < DemoFleet::kGpusPerMachine; ++gpu) {
      const v1::DeviceHealth* const health = HealthOf(fleet, machine.name, gpu);
      const std::string name = absl::StrCat(machine.name, " gpu ", gpu);
      if (health == nullptr) return absl::StrCat(name, " is not there");
      if (health->state() == v1::HEALTH_STATE_HEALTHY) continue;
      return absl::StrCat(name, " is ", HealthName(health->state()), ": ",
                          health->conditions_size() > 0 ? Sanitize(health->conditions(0).message(), 512) : "");
    }
  }
  return "";
}

void Demo::SayWhereThingsAre(const Fleet& fleet) const {
  std::ostream& out = context_.out();
  const Palette palette = context_.palette();
  out << palette.Paint(Style::kBold,
                       "SIMULATED hardware: no GPU below is real. All of it ends with this command (Ctrl-C).")
      << "\n\n  coordinator  " << address_ << ", http://" << http_address_ << "/metrics\n";
  if (!prometheus_address_.empty()) out << "  Prometheus   http://" << prometheus_address_ << "\n";
  for (const auto& [name, status] : fleet) {
    const std::vector<const v1::Device*> devices = InOrder(status);
    out << "  " << name << "  " << devices.size() << " × "
        << (devices.empty() ? "" : Sanitize(devices.front()->model(), 128));
    const std::string metrics = Sanitize(status.machine().metrics_address(), 128);
    if (!metrics.empty()) out << ", http://" << metrics << "/metrics";
    out << "\n";
  }
  out << "  folder       " << folder_ << " (logs, scenario.textproto)\n\n  Try, in another terminal:\n"
      << "    muster --insecure-loopback --coordinator " << address_ << " machines\n"
      << "    muster --insecure-loopback --coordinator " << address_ << " machine " << fleet_.machines().front().name
      << " --events\n    curl -s http://" << http_address_ << "/metrics | grep muster_device_health\n"
      << std::endl;
}

absl::Status Demo::Inject(const FaultKind& kind, const Fleet& fleet) {
  std::set<Target> unwell;
  for (size_t machine = 0; machine < fleet_.machines().size(); ++machine) {
    for (size_t gpu = 0; gpu < DemoFleet::kGpusPerMachine; ++gpu) {
      const v1::DeviceHealth* const health = HealthOf(fleet, fleet_.machines()[machine].name, gpu);
      if (health == nullptr || health->state() != v1::HEALTH_STATE_HEALTHY) unwell.insert({machine, gpu});
    }
  }
  const Target target = fleet_.Choose(kind, unwell);
  const bool stays = kind.lasts || !options_.once.empty();
  const double lasts_s = std::clamp(options_.fault_interval_s * kFaultShare, 20.0, kLongestFaultSeconds);
  const double now_s = SecondsNow();
  fleet_.Inject(kind, target, now_s, stays ? 0 : now_s + lasts_s);
  RETURN_IF_ERROR(WriteScenario());
  watched_.push_back({.kind = &kind,
                      .target = target,
                      .since = Clock::now(),
                      .codes_before = CodesOf(HealthOf(fleet, fleet_.machines()[target.machine].name, target.gpu))});
  Say(base::Text(NameOf(target), ": ", kind.what, " (", kind.name, ") …"));
  return absl::OkStatus();
}

void Demo::WatchOne(const Fleet& fleet, Watched& watched) {
  const std::string name = base::Text(NameOf(watched.target), ": ", watched.kind->what);
  const v1::DeviceHealth* const health =
      HealthOf(fleet, fleet_.machines()[watched.target.machine].name, watched.target.gpu);
  const Clock::time_point now = Clock::now();
  const bool there = CodesOf(health).contains(std::string(watched.kind->code));
  const std::string arrow = context_.palette().unicode ? " → " : " -> ";
  if (!watched.shown && there && !watched.codes_before.contains(std::string(watched.kind->code))) {
    watched.shown = true;
    Say(absl::StrCat(name, arrow, HealthName(health->state()), " ", std::string(watched.kind->code),
                     absl::StrFormat(" after %.1f s", Seconds(now - watched.since))));
  } else if (watched.shown && !there && health != nullptr) {
    watched.over = true;
    Say(absl::StrCat(name, ": over", arrow, HealthName(health->state())));
  } else if (!watched.shown && now - watched.since > kShowPatience) {
    watched.over = true;
    Say(absl::StrCat(name, arrow, "not seen within ", kShowPatience.count(), " s"));
  }
}

void Demo::Watch(const Fleet& fleet) {
  for (Watched& watched : watched_) {
    if (!watched.over) WatchOne(fleet, watched);
  }
}

void Demo::LookAtAlerts() {
  if (prometheus_address_.empty() || Clock::now() < next_alerts_) return;
  next_alerts_ = Clock::now() + kAlertsEvery;
  const absl::StatusOr<std::set<Alert>> alerts = FiringAlerts(prometheus_address_);
  if (!alerts.ok()) return;  // It may not serve yet, and is not what this is about.
  const auto say = [this](const Alert& alert, const char* what) {
    Say(Sanitize(absl::StrCat("alert ", alert.name, what, alert.machine.empty() ? "" : ": ", alert.machine,
                              alert.gpu.empty() ? "" : " gpu ", alert.gpu)));
  };
  for (const Alert& alert : *alerts) {
    if (!alerts_.contains(alert)) say(alert, " fires");
  }
  for (const Alert& alert : alerts_) {
    if (!alerts->contains(alert)) say(alert, " is over");
  }
  alerts_ = *alerts;
}

absl::Status Demo::Turn() {
  std::string ended;
  RETURN_IF_ERROR(children_.Pump(kPump, &ended));
  if (!ended.empty()) context_.err() << "muster: " << ended << std::endl;
  const Clock::time_point now = Clock::now();
  if (now < next_look_) return absl::OkStatus();
  next_look_ = now + kLookEvery;
  ASSIGN_OR_RETURN(const Fleet fleet, Look());
  Watch(fleet);
  LookAtAlerts();
  if (now < next_fault_) return absl::OkStatus();
  if (!options_.once.empty()) {
    next_fault_ = Clock::time_point::max();
    return Inject(*FindFaultKind(options_.once), fleet);
  }
  next_fault_ = options_.fault_interval_s > 0 ? now + FromSeconds(options_.fault_interval_s) : Clock::time_point::max();
  return options_.fault_interval_s > 0 ? Inject(fleet_.NextKind(), fleet) : absl::OkStatus();
}

bool Demo::IsOver() const {
  if (context_.environment().take_interrupt() != Interrupt::kNone) return true;
  return options_.for_s > 0 && Clock::now() - started_ >= FromSeconds(options_.for_s);
}

int Demo::Summary() const {
  const auto shown =
      std::count_if(watched_.begin(), watched_.end(), [](const Watched& watched) { return watched.shown; });
  Say(absl::StrCat("the demonstration is over: ", watched_.size(), watched_.size() == 1 ? " fault" : " faults",
                   " injected, ", shown, " shown by health"));
  return !options_.once.empty() && shown == 0 ? kExitVerdict : kExitGreen;
}

absl::StatusOr<int> Demo::Run() {
  RETURN_IF_ERROR(Start());
  while (!IsOver()) RETURN_IF_ERROR(Turn());
  return Summary();
}

absl::StatusOr<int> RunDemo(const DemoOptions& options, Context& context) {
  if (!options.once.empty() && FindFaultKind(options.once) == nullptr) {
    std::vector<std::string> names;
    for (const FaultKind& kind : FaultKinds()) names.emplace_back(kind.name);
    return absl::InvalidArgumentError(
        absl::StrCat("--once: expected one of ", absl::StrJoin(names, ", "), ", found ", Sanitize(options.once, 80)));
  }
  ASSIGN_OR_RETURN(const std::string folder, OwnFolder());
  ASSIGN_OR_RETURN(const Installation installation,
                   FindInstallation(folder, context.environment().variable("PATH").value_or("")));
  context.environment().take_interrupt();  // From here on signals are ours.
  return Demo(options, installation, context).Run();
}

}  // namespace muster::cli
