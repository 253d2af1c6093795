// run and watch.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/result_table.h"
#include "cli/run_view.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

std::string RandomId() {
  std::random_device random;
  return absl::StrFormat("%08x%08x%08x", random(), random(), random());
}

// Whether some report goes to standard output, which then carries nothing else.
bool TakesOutput(const ReportFiles& files) { return files.junit == "-" || files.ocptv == "-" || files.json == "-"; }

// The plan that the coordinator knows by this name; nullopt when there is none.
absl::StatusOr<std::optional<v1::Plan>> FindPlan(Client& client, const std::string& name) {
  ASSIGN_OR_RETURN(const v1::ListPlansResponse response, client.ListPlans({}));
  for (const v1::Plan& plan : response.plans()) {
    if (plan.name() == name) return std::optional(plan);
  }
  return std::optional<v1::Plan>();
}

absl::StatusOr<bool> SuiteExists(Client& client, const std::string& name) {
  v1::ListMachinesRequest request;
  request.set_with_suites(true);
  ASSIGN_OR_RETURN(const v1::ListMachinesResponse response, client.ListMachines(request));
  for (const v1::MachineStatus& machine : response.machines()) {
    for (const v1::SuiteManifest& suite : machine.suites()) {
      if (suite.name() == name) return true;
    }
  }
  return false;
}

// A request is sent again when the connection broke in it: its id makes that harmless.
absl::StatusOr<v1::StartRunResponse> Start(Client& client, const v1::StartRunRequest& request) {
  absl::StatusOr<v1::StartRunResponse> response = client.StartRun(request);
  for (int attempt = 0; attempt < 2 && absl::IsUnavailable(response.status()); ++attempt) {
    if (response.status().message().find("connection refused") != absl::string_view::npos) break;
    response = client.StartRun(request);
  }
  return response;
}

// `muster run NAME` where NAME is no plan but a suite that some machine has: that suite.
absl::StatusOr<v1::StartRunResponse> StartAsSuite(Client& client, v1::StartRunRequest request,
                                                  const std::vector<std::string>& cases, const absl::Status& no_plan) {
  const std::string name = request.plan_name();
  ASSIGN_OR_RETURN(const bool exists, SuiteExists(client, name));
  if (!exists) {
    return absl::NotFoundError(absl::StrCat(
        no_plan.message(), "; nor does a machine have a suite of this name. `muster plans` lists the plans, ",
        "`muster machine NAME` the suites of a machine"));
  }
  request.clear_plan_name();
  *request.mutable_plan() = PlanOfSuites({name});
  SetCases(cases, *request.mutable_plan());
  return Start(client, request);
}

absl::StatusOr<v1::StartRunResponse> StartRun(Client& client, const RunRequestOptions& options) {
  ASSIGN_OR_RETURN(v1::StartRunRequest request, BuildRunRequest(options));
  request.set_request_id(RandomId());
  if (!request.plan_name().empty() && !options.cases.empty()) {
    // --case changes the plan, so the plan has to come here first.
    ASSIGN_OR_RETURN(std::optional<v1::Plan> plan, FindPlan(client, request.plan_name()));
    if (!plan.has_value()) {
      return StartAsSuite(client, request, options.cases,
                          absl::NotFoundError(absl::StrCat("the coordinator has no plan ", request.plan_name())));
    }
    SetCases(options.cases, *plan);
    request.clear_plan_name();
    *request.mutable_plan() = *std::move(plan);
  }
  absl::StatusOr<v1::StartRunResponse> response = Start(client, request);
  if (absl::IsNotFound(response.status()) && !request.plan_name().empty()) {
    return StartAsSuite(client, request, options.cases, response.status());
  }
  return response;
}

std::unique_ptr<RunView> MakeView(Context& context, const ReportFiles& reports, bool cancels) {
  const bool json = TakesOutput(reports);
  const bool terminal = json ? context.environment().err_is_terminal : context.environment().out_is_terminal;
  std::ostream& out = json ? context.err() : context.out();
  if (!terminal || context.environment().variable("TERM") == "dumb")
    return std::make_unique<PlainRunView>(out, context.err());
  return std::make_unique<LiveRunView>(
      context.environment(), out, json ? context.err_palette() : context.palette(),
      cancels ? "Ctrl-C cancels the run, Ctrl-\\ leaves it running" : "Ctrl-C leaves; the run goes on");
}

struct Following {
  std::string run_id;
  ReportFiles reports;
  bool strict = false;
  FollowOptions follow;
};

absl::Status PrintResult(Client& client, const Following& following, const DeviceNames& names, Context& context) {
  v1::GetRunRequest request;
  request.set_run_id(following.run_id);
  request.set_with_measurements(true);
  ASSIGN_OR_RETURN(const v1::GetRunResponse result, client.GetRun(request));
  const bool json = TakesOutput(following.reports);
  const Palette palette = json ? context.err_palette() : context.palette();
  (json ? context.err() : context.out()) << RenderResult(result, names, palette, {.width = context.table_width()})
                                         << std::flush;
  return absl::OkStatus();
}

absl::StatusOr<int> Follow(Client& client, const Following& following, Context& context) {
  RunModel model;
  const DeviceNames names = FetchDeviceNames(client);
  model.SetDeviceNames(names);
  const std::unique_ptr<RunView> view = MakeView(context, following.reports, following.follow.cancels);
  const absl::StatusOr<FollowEnd> end =
      FollowRun(client, following.run_id, context.environment(), following.follow, model, *view);
  view->End();
  const std::string id = model.started() ? Sanitize(model.run().id(), 64) : following.run_id;
  const std::string advice =
      absl::StrCat("watch it with `muster watch ", id, "`, cancel it with `muster cancel ", id, "`");
  if (!end.ok()) {
    if (following.follow.connected || model.started()) context.err() << "muster: " << advice << "\n";
    return end.status();
  }
  if (*end == FollowEnd::kLeft) {
    context.err() << "muster: left " << id << ", which "
                  << (model.run().cancel_requested() ? "is being cancelled" : "goes on") << ": " << advice << "\n";
    return kExitMachinery;
  }
  RETURN_IF_ERROR(PrintResult(client, following, names, context));
  RETURN_IF_ERROR(WriteReports(following.reports, model.run().id(), context));
  return ExitOf(model.run(), following.strict);
}

// Before hours of work: that what they find can be written where it is asked for.
absl::Status CheckReportFiles(const ReportFiles& files) {
  int on_standard_output = 0;
  for (const std::string& path : {files.junit, files.ocptv, files.json}) {
    on_standard_output += path == "-" ? 1 : 0;
    if (path.empty() || path == "-") continue;
    const size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
    if (access(folder.c_str(), W_OK | X_OK) != 0) {
      return absl::InvalidArgumentError(absl::StrCat("cannot write ", path,
                                                     ": expected a folder that can be written, found ", folder, ": ",
                                                     std::strerror(errno)));
    }
  }
  if (on_standard_output > 1) {
    return absl::InvalidArgumentError("only one of --junit, --ocptv and --json can go to standard output: name a file");
  }
  return absl::OkStatus();
}

}  // namespace

int ExitOf(const v1::Run& run, bool strict) {
  if (run.colour() == v1::GREEN) return kExitGreen;
  return run.colour() == v1::AMBER && !strict ? kExitGreen : kExitVerdict;
}

DeviceNames FetchDeviceNames(Client& client) {
  DeviceNames names;
  const absl::StatusOr<v1::ListMachinesResponse> machines = client.ListMachines({});
  if (!machines.ok()) return names;
  for (const v1::MachineStatus& machine : machines->machines()) names.Add(machine.machine());
  return names;
}

absl::StatusOr<int> RunRun(const RunOptions& options, Context& context) {
  RETURN_IF_ERROR(CheckReportFiles(options.reports));
  ASSIGN_OR_RETURN(Client* const client, context.client());
  ASSIGN_OR_RETURN(const v1::StartRunResponse started, StartRun(*client, options.request));
  const v1::Run& run = started.run();
  if (options.detach) {
    if (options.reports.json.empty()) {
      context.out() << Sanitize(run.id(), 64) << "\n";
      return kExitGreen;
    }
    RETURN_IF_ERROR(context.WriteFile(options.reports.json, Context::Json(started)));
    return kExitGreen;
  }
  for (const std::string& note : run.notes()) context.err() << "muster: note: " << Sanitize(note) << std::endl;
  std::ostream& out = TakesOutput(options.reports) ? context.err() : context.out();
  if (!context.environment().out_is_terminal) {
    out << "run " << Sanitize(run.id(), 64) << " of " << Sanitize(run.plan().name(), 64) << ": " << run.jobs_total()
        << (run.jobs_total() == 1 ? " job\n" : " jobs\n") << std::flush;
  }
  return Follow(*client,
                {.run_id = run.id(),
                 .reports = options.reports,
                 .strict = options.strict,
                 .follow = {.cancels = true, .reconnect_for_ms = options.reconnect_for_ms, .connected = true}},
                context);
}

absl::StatusOr<int> RunWatch(const WatchOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  return Follow(*client,
                {.run_id = options.run_id,
                 .reports = options.reports,
                 .strict = options.strict,
                 .follow = {.cancels = false, .reconnect_for_ms = options.reconnect_for_ms}},
                context);
}

}  // namespace muster::cli
