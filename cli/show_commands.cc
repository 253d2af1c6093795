// runs, show, cancel, plans: what ran and what can.
#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/live_view.h"
#include "cli/result_table.h"
#include "cli/table.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

std::string ShortTime(int64_t unix_ms) {
  if (unix_ms <= 0) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixMillis(unix_ms), absl::LocalTimeZone());
}

std::string CountsOf(const v1::Run& run) {
  std::string out;
  for (const v1::VerdictCount& count : run.verdicts()) {
    if (count.count() > 0)
      absl::StrAppend(&out, out.empty() ? "" : ", ", count.count(), " ", VerdictName(count.verdict()));
  }
  return out;
}

Cell StateOf(const v1::Run& run) {
  if (run.state() == v1::RUN_STATE_FINISHED) return {ColourName(run.colour()), ColourStyle(run.colour())};
  return {absl::StrCat(run.jobs_finished(), "/", run.jobs_total(), " jobs"), Style::kAccent};
}

}  // namespace

absl::StatusOr<int> RunRuns(const RunsOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  v1::ListRunsRequest request;
  request.set_limit(options.limit);
  request.set_plan_name(options.plan);
  ASSIGN_OR_RETURN(const v1::ListRunsResponse response, client->ListRuns(request));
  if (options.json) {
    context.out() << Context::Json(response);
    return kExitGreen;
  }
  Table table({{"RUN"},
               {"PLAN", false, true},
               {"STARTED"},
               {"TOOK", true},
               {"RESULT"},
               {"CASES", false, true},
               {"BY", false, true}});
  for (const v1::Run& run : response.runs()) {
    const bool finished = run.state() == v1::RUN_STATE_FINISHED;
    const int64_t until = finished ? run.finished_unix_ms() : context.environment().now_unix_ms();
    table.AddRow({{Sanitize(run.id(), 64)},
                  {Sanitize(run.plan().name(), 64)},
                  {ShortTime(run.created_unix_ms())},
                  {base::FormatDuration(std::max<int64_t>(until - run.created_unix_ms(), 0))},
                  StateOf(run),
                  {CountsOf(run)},
                  {Sanitize(run.requested_by(), 64), Style::kDim}});
  }
  if (table.empty()) {
    context.err() << "no runs yet: `muster run smoke` starts one\n";
  } else {
    context.out() << table.Render(context.palette(), context.table_width());
  }
  return kExitGreen;
}

absl::StatusOr<int> RunShow(const ShowOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  v1::GetRunRequest request;
  request.set_run_id(options.run_id);
  request.set_with_measurements(true);
  request.set_with_all_attempts(options.all_attempts && options.json);
  ASSIGN_OR_RETURN(const v1::GetRunResponse result, client->GetRun(request));
  if (options.json) {
    context.out() << Context::Json(result);
    return kExitGreen;
  }
  context.out() << RenderResult(result, FetchDeviceNames(*client), context.palette(),
                                {.width = context.table_width(), .all = options.all, .all_figures = options.figures});
  return kExitGreen;
}

absl::StatusOr<int> RunCancel(const CancelOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  v1::CancelRunRequest request;
  request.set_run_id(options.run_id);
  request.set_reason(options.reason);
  ASSIGN_OR_RETURN(const v1::CancelRunResponse response, client->CancelRun(request));
  const std::string id = Sanitize(response.run().id(), 64);
  if (response.run().state() == v1::RUN_STATE_FINISHED) {
    context.out() << id << " has ended (" << ColourName(response.run().colour()) << ")\n";
  } else {
    context.out() << "cancelling " << id << "; `muster watch " << id << "` shows it end\n";
  }
  return kExitGreen;
}

absl::StatusOr<int> RunPlans(const PlansOptions& options, Context& context) {
  ASSIGN_OR_RETURN(Client* const client, context.client());
  ASSIGN_OR_RETURN(const v1::ListPlansResponse response, client->ListPlans({}));
  if (options.json) {
    context.out() << Context::Json(response);
    return kExitGreen;
  }
  Table table({{"PLAN"}, {"LEVEL"}, {"SUITES", false, true}, {"ON", false, true}, {"DESCRIPTION", false, true}});
  for (const v1::Plan& plan : response.plans()) {
    std::string suites;
    for (const v1::PlanSuite& suite : plan.suites())
      absl::StrAppend(&suites, suites.empty() ? "" : ",", Sanitize(suite.suite(), 64));
    const std::string level = v1::Level_Name(plan.level() == v1::LEVEL_UNSPECIFIED ? v1::LEVEL_QUICK : plan.level());
    table.AddRow({{Sanitize(plan.name(), 64)},
                  {absl::AsciiStrToLower(level.substr(std::min<size_t>(level.size(), 6)))},
                  {suites},
                  {Sanitize(plan.on(), 200)},
                  {Sanitize(plan.description(), 200), Style::kDim}});
  }
  if (table.empty()) {
    context.err() << "the coordinator has no plans: start it with --plans-dir FOLDER, or run suites with `muster run "
                     "--suite NAME`\n";
  } else {
    context.out() << table.Render(context.palette(), context.table_width());
  }
  return kExitGreen;
}

}  // namespace muster::cli
