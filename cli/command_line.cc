#include "cli/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>
#include <memory>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/demo/fault_kinds.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

constexpr char kExitStatuses[] =
    "Exit status: 0 green (amber too, unless --strict), 1 a verdict that is not, 2 a request that makes no sense,\n"
    "3 the machinery failed (no connection, a coordinator's error, a watch that was left or lost).";

// The program's arguments, and what was asked for once they are parsed.
class CommandLine {
 public:
  explicit CommandLine(const Environment& environment)
      : environment_(environment), app_("Muster proves that the GPUs of a fleet work.", "muster") {
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.get_formatter()->column_width(36);
    app_.footer(
        absl::StrCat("\nExamples:\n"
                     "  muster run smoke                           run the plan `smoke` on every machine\n"
                     "  muster run benchmark --on 'vendor=nvidia'  one suite, on the machines with NVIDIA GPUs\n"
                     "  muster show last                           the newest run's cases and figures\n"
                     "  muster machines                            the fleet\n\n",
                     kExitStatuses));
    AddGlobalOptions();
    AddRun();
    AddWatch();
    AddRuns();
    AddOutputs();
    AddFleet();
    AddAccess();
    AddDemo();
    AddAboutItself();
  }

  int Run(const std::vector<std::string>& arguments) {
    try {
      app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::Success& e) {
      return app_.exit(e, *environment_.out, *environment_.err);
    } catch (const CLI::ParseError& e) {
      if (arguments.empty()) {
        *environment_.err << app_.help();
      } else {
        *environment_.err << "muster: " << Sanitize(e.what()) << "\nTry: " << CommandWords() << " --help\n";
      }
      return kExitUsage;
    }
    Context context(environment_, global_);
    const absl::StatusOr<int> exit = action_(context);
    environment_.out->flush();
    if (exit.ok()) return *exit;
    const Palette palette = context.err_palette();
    *environment_.err << palette.Paint(Style::kBad, "muster:") << " " << exit.status().message() << "\n";
    const bool users_mistake = absl::IsInvalidArgument(exit.status()) || absl::IsNotFound(exit.status());
    return users_mistake ? kExitUsage : kExitMachinery;
  }

  int PrintCompletions(const std::vector<std::string>& words) {
    const CompletionPoint point = FindCompletionPoint(app_, words);
    const auto seen = [&point](const std::string& name) {
      const auto it = point.seen.find(name);
      return it == point.seen.end() ? std::string() : it->second;
    };
    global_.endpoint.coordinator = seen("--coordinator");
    global_.endpoint.identity = seen("--identity");
    global_.endpoint.insecure_loopback = point.seen.count("--insecure-loopback") > 0;
    Context context(environment_, global_);
    for (const Candidate& c : muster::cli::Complete(
             point, takes_, [&context](Values values) { return LookUpCandidates(values, context); })) {
      *environment_.out << c.value << (c.description.empty() ? "" : "\t") << c.description << "\n";
    }
    return kExitGreen;
  }

 private:
  template <typename Options>
  using Command = absl::StatusOr<int> (*)(const Options&, Context&);

  // A command whose options live as long as the command line does.
  template <typename Options>
  std::pair<CLI::App*, Options*> Add(CLI::App& parent, const std::string& name, const std::string& description,
                                     Command<Options> run) {
    auto options = std::make_shared<Options>();
    CLI::App* command = parent.add_subcommand(name, description);
    command->callback(
        [this, options, run] { action_ = [options, run](Context& context) { return run(*options, context); }; });
    return {command, options.get()};
  }
  CLI::Option* Complete(CLI::Option* option, Values values, std::vector<std::string> choices = {}) {
    takes_[option] = {values, std::move(choices)};
    return option;
  }
  CLI::Option* Choices(CLI::Option* option, std::vector<std::string> choices) {
    return Complete(option, Values::kChoices, std::move(choices));
  }
  CLI::Option* RunArgument(CLI::App* command, std::string& run_id) {
    return Complete(command->add_option("RUN", run_id, "A run's id, a unique front of one, or `last`")->required(),
                    Values::kRuns, {"last"});
  }
  static CLI::Option* Json(CLI::App* command, bool& json) {
    return command->add_flag("--json", json, "Print JSON (protobuf's mapping of muster.v1)");
  }

  // "muster token create": the command that was being parsed.
  std::string CommandWords() const {
    std::string words = "muster";
    for (const CLI::App* app = &app_; !app->get_subcommands().empty();) {
      app = app->get_subcommands().front();
      absl::StrAppend(&words, " ", app->get_name());
    }
    return words;
  }

  void AddGlobalOptions() {
    app_.add_option("--coordinator", global_.endpoint.coordinator,
                    "HOST:PORT of the coordinator [MUSTER_COORDINATOR, else localhost:7443]");
    Complete(
        app_.add_option("--identity", global_.endpoint.identity,
                        "Folder with ca.pem, cert.pem and key.pem [MUSTER_IDENTITY, else what `muster enroll` saved]"),
        Values::kFiles);
    app_.add_flag("--insecure-loopback", global_.endpoint.insecure_loopback,
                  "Plaintext to a coordinator on this machine that allows it");
    Choices(app_.add_option("--color", global_.colour, "auto, always or never; NO_COLOR is minded")
                ->check(CLI::IsMember({"auto", "always", "never"})),
            {"auto", "always", "never"});
  }

  template <typename Options>
  void AddFollowOptions(CLI::App* command, Options* o) {
    Complete(command->add_option("--junit", o->reports.junit, "Write JUnit XML to this file (-: standard output)"),
             Values::kFiles);
    Complete(command->add_option("--ocptv", o->reports.ocptv, "Write OCPTV lines to this file"), Values::kFiles);
    command->add_flag("--json{-}", o->reports.json, "Print the result as JSON, or write it with --json=FILE");
    command->add_flag("--strict", o->strict, "Amber (FIXED, FLAKY) is not green: exit status 1");
    command->add_option("--reconnect-for", o->reconnect_for_ms, "How long to look for a coordinator that was lost [5m]")
        ->transform(CLI::AsNumberWithUnit(
            std::map<std::string, int64_t>{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}},
            CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME"));
  }

  void AddRun() {
    auto [command, o] = Add<RunOptions>(app_, "run", "Run a plan or suites, and watch it", RunRun);
    Complete(
        command->add_option("PLAN|SUITE", o->request.names, "A plan's name, a plan's file (NAME.textproto), or suites"),
        Values::kPlans);
    Complete(command->add_option("--suite", o->request.suites, "Run this suite; may be given several times")
                 ->allow_extra_args(false),
             Values::kSuites);
    command->add_option("--on", o->request.on,
                        "Only on machines and GPUs that match this selector, e.g. 'vendor=nvidia,memory_gib>=80'");
    Choices(command->add_option("--level", o->request.level, "quick, medium, long, stress, or 1 to 4"),
            {"quick", "medium", "long", "stress"});
    command->add_option("--set", o->request.parameters, "NAME=VALUE or SUITE.NAME=VALUE; may be given several times")
        ->allow_extra_args(false);
    command
        ->add_option("--case", o->request.cases,
                     "Only cases with this name or that match this RE2 pattern; several times")
        ->allow_extra_args(false);
    command->add_option("--priority", o->request.priority, "-100 to 100; higher goes first")
        ->check(CLI::Range(-100, 100));
    command->add_flag("--on-quarantined", o->request.on_quarantined,
                      "Also on machines and GPUs in quarantine, to see whether they can be released");
    command->add_flag(
        "--destructive", o->request.destructive,
        "Run the destructive cases (reset, reload) that the plan or --case names; without it they are refused");
    command->add_flag("--detach", o->detach, "Print the run's id and leave it to itself");
    AddFollowOptions(command, o);
    command->footer(absl::StrCat(
        "\nCtrl-C cancels the run (again: leaves without waiting); Ctrl-\\ leaves it running.\n\nExamples:\n"
        "  muster run smoke --junit smoke.xml\n"
        "  muster run benchmark --on name=node1 --level medium --set repeats=20\n"
        "  muster run --suite driver --case 'ecc.*'\n"
        "  muster run burn-in.textproto --detach\n\n",
        kExitStatuses));
  }

  void AddWatch() {
    auto [command, o] = Add<WatchOptions>(app_, "watch", "Watch a run until it ends", RunWatch);
    RunArgument(command, o->run_id);
    AddFollowOptions(command, o);
    command->footer("\nCtrl-C leaves; the run goes on.");
  }

  void AddRuns() {
    auto [runs, r] = Add<RunsOptions>(app_, "runs", "List runs, newest first", RunRuns);
    runs->add_option("--limit", r->limit, "At most so many [20]")->check(CLI::Range(1, 1000));
    Complete(runs->add_option("--plan", r->plan, "Only runs of this plan"), Values::kPlans);
    Json(runs, r->json);

    auto [show, s] =
        Add<ShowOptions>(app_, "show", "Show what a run found: verdicts, reasons, figures with units", RunShow);
    RunArgument(show, s->run_id);
    show->add_flag("--all", s->all, "List every case, of a large run too");
    show->add_flag("--figures", s->figures, "List every figure, evidence of work (work.*) too");
    Json(show, s->json);
    show->add_flag("--all-attempts", s->all_attempts, "In JSON: the figures of attempts that do not count, too");
    show->footer(
        "\nExamples:\n  muster show last\n  muster show last --json | jq '.jobs[].attempts[-1].results[] | {caseName, "
        "verdict}'");

    auto [cancel, c] = Add<CancelOptions>(app_, "cancel", "Cancel a run", RunCancel);
    RunArgument(cancel, c->run_id);
    cancel->add_option("--reason", c->reason, "Why; kept with the run");
  }

  void AddOutputs() {
    auto [logs, l] = Add<LogsOptions>(app_, "logs", "Print the logs of a run's jobs, or of one job", RunLogs);
    Complete(logs->add_option("RUN|JOB", l->id, "A run, or a job: RUN/NUMBER")->required(), Values::kJobs, {"last"});
    logs->add_option("--attempt", l->attempt, "Of this attempt; otherwise the newest");
    Choices(logs->add_option("--stream", l->stream, "stderr, stdout or agent; otherwise all"),
            {"stderr", "stdout", "agent"});
    logs->add_flag("-f,--follow", l->follow, "Go on while the job runs");

    auto [artifacts, a] =
        Add<ArtifactsOptions>(app_, "artifacts", "List the files that a run's jobs left", RunArtifacts);
    RunArgument(artifacts, a->run_id);
    Json(artifacts, a->json);

    CLI::App* artifact = app_.add_subcommand("artifact", "Get a file that a job left");
    artifact->require_subcommand(1);
    auto [get, g] = Add<ArtifactOptions>(*artifact, "get", "Save an artifact", RunArtifactGet);
    Complete(get->add_option("JOB", g->job_id, "RUN/NUMBER")->required(), Values::kJobs);
    get->add_option("NAME", g->name, "The artifact's name")->required();
    get->add_option("--attempt", g->attempt, "Of this attempt; otherwise the newest");
    Complete(get->add_option("-o,--output", g->output, "File to write (-: standard output) [NAME]"), Values::kFiles);

    auto [report, p] = Add<ReportOptions>(app_, "report", "Print a run's report for other tools", RunReport);
    RunArgument(report, p->run_id);
    Choices(report->add_option("--format", p->format, "junit, ocptv or json [junit]"), {"junit", "ocptv", "json"});
    Complete(report->add_option("-o,--output", p->output, "File to write [standard output]"), Values::kFiles);
  }

  void AddFleet() {
    auto [plans, p] = Add<PlansOptions>(app_, "plans", "List the plans that the coordinator knows", RunPlans);
    Json(plans, p->json);
    auto [machines, m] = Add<MachinesOptions>(app_, "machines", "List the machines of the fleet", RunMachines);
    machines->add_option("--on", m->on, "Only machines that match this selector");
    Json(machines, m->json);
    auto [machine, one] = Add<MachineOptions>(
        app_, "machine", "Show a machine: GPUs, links, health, suites, problems, leases", RunMachine);
    Complete(machine->add_option("NAME", one->name, "The machine's name")->required(), Values::kMachines);
    machine->add_flag("--events", one->events, "List what happened to it lately, too");
    Json(machine, one->json);

    auto [quarantine, q] =
        Add<QuarantineOptions>(app_, "quarantine", "Keep a machine or a GPU from getting jobs", RunQuarantine);
    Complete(
        quarantine
            ->add_option("MACHINE[/DEVICE]", q->target, "A machine, or a GPU of it by number, id, UUID or PCI address")
            ->required(),
        Values::kTargets);
    quarantine->add_option("--reason", q->reason, "Why; shown to everybody")->required();
    Json(quarantine, q->json);
    quarantine->footer(
        "\nIts cases are SKIPPED with the reason until `muster release`; what runs goes on. To see whether it can be\n"
        "released: muster run PLAN --on name=MACHINE --on-quarantined\n\nExamples:\n"
        "  muster quarantine node1/3 --reason 'Xid 79 twice, RMA 4711'\n"
        "  muster quarantine node1 --reason 'moves to another rack'");
    auto [release, r] = Add<QuarantineOptions>(app_, "release", "Let a machine or a GPU out of quarantine", RunRelease);
    Complete(release->add_option("MACHINE[/DEVICE]", r->target, "As for `muster quarantine`")->required(),
             Values::kQuarantined);
    release->add_option("--reason", r->reason, "Why; for the coordinator's log");
    Json(release, r->json);
  }

  void AddAccess() {
    CLI::App* token = app_.add_subcommand("token", "Make tokens for new machines and users");
    token->require_subcommand(1);
    auto [create, t] =
        Add<TokenOptions>(*token, "create", "Make a token: short-lived, good for one enrolment", RunTokenCreate);
    Choices(create->add_option("--role", t->role, "agent, viewer, operator or admin [agent]"),
            {"agent", "viewer", "operator", "admin"});
    create->add_option("--name", t->name, "Only for the machine or user of this name");
    create->add_option("--lifetime", t->lifetime, "How long it can be used: 30m, 1h, 2d [1h]");
    Json(create, t->json);
    create->footer(
        "\nThe token is shown once. Give it to `muster-agent --token TOKEN` or `muster enroll --token TOKEN`.");

    auto [enroll, e] = Add<EnrollOptions>(app_, "enroll", "Turn a token into an identity for this user", RunEnroll);
    enroll->add_option("--token", e->token, "What `muster token create` printed (-: read it from standard input)")
        ->required();
    enroll->add_option("--name", e->name, "Your name in the fleet [the login name]");
    enroll->add_flag("--replace", e->replace, "Give up the identity of this name that is there");
    enroll->footer(
        "\nSaves ca.pem, cert.pem and key.pem in ~/.config/muster/NAME, with the coordinator's address; from then on "
        "neither\n"
        "--coordinator nor --identity is needed. The key never leaves this machine.");
  }

  void AddDemo() {
    auto [demo, d] = Add<DemoOptions>(
        app_, "demo", "Show a fleet of SIMULATED machines on this one, and break a GPU now and then", RunDemo);
    demo->add_option("--machines", d->machines, "Simulated machines, Intel's and NVIDIA's in turns [4]")
        ->check(CLI::Range(1, 32));
    Complete(
        demo->add_option("--dir", d->dir, "Empty folder for all of it, kept at the end [a temporary one, removed]"),
        Values::kFiles);
    demo->add_option("--fault-interval", d->fault_interval_s, "Seconds from one fault to the next; 0 for none [60]")
        ->check(CLI::Range(0.0, 86'400.0));
    demo->add_option("--seed", d->seed, "The same seed breaks the same GPUs in the same order [1]");
    std::vector<std::string> kinds;
    for (const FaultKind& kind : FaultKinds()) kinds.emplace_back(kind.name);
    demo->footer(absl::StrCat("\nFaults: ", absl::StrJoin(kinds, ", "),
                              "\nCtrl-C ends everything that was started. With --once the exit status is 1 when health "
                              "did not show it."));
    Choices(demo->add_option("--once", d->once, "This fault at once, for good, and no others"), std::move(kinds));
    demo->add_option("--for", d->for_s, "End by itself after so many seconds")->check(CLI::Range(0.0, 1e7));
    demo->add_flag("--no-prometheus", d->no_prometheus, "Not even when prometheus is installed");
  }

  void AddAboutItself() {
    auto shell = std::make_shared<std::string>();
    CLI::App* completion = app_.add_subcommand("completion", "Print the completion script of a shell");
    Choices(completion->add_option("SHELL", *shell, "bash, zsh or fish")->required(), {"bash", "zsh", "fish"});
    completion->footer(
        "\n  source <(muster completion bash)\n  source <(muster completion zsh)\n  muster completion fish | source");
    completion->callback([this, shell] {
      action_ = [shell](Context& context) -> absl::StatusOr<int> {
        const absl::StatusOr<std::string> script = CompletionScript(*shell);
        if (!script.ok()) return script.status();
        context.out() << *script;
        return kExitGreen;
      };
    });
    app_.add_subcommand("version", "Print the version")->callback([this] {
      action_ = [](Context& context) -> absl::StatusOr<int> {
        context.out() << "muster " << MUSTER_VERSION "\n";
        return kExitGreen;
      };
    });
  }

  const Environment& environment_;
  CLI::App app_;
  GlobalOptions global_;
  TakesByOption takes_;
  std::function<absl::StatusOr<int>(Context&)> action_;
};

}  // namespace

int RunCommandLine(const std::vector<std::string>& arguments, const Environment& environment) {
  CommandLine line(environment);
  if (!arguments.empty() && arguments.front() == "__complete") {
    return line.PrintCompletions({arguments.begin() + 1, arguments.end()});
  }
  return line.Run(arguments);
}

}  // namespace muster::cli
