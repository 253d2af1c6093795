#include "cli/run_request.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "base/textproto.h"

namespace muster::cli {
namespace {

bool IsFile(const std::string& name) { return absl::EndsWith(name, ".textproto") || absl::StrContains(name, "/"); }

absl::Status AddParameters(const std::vector<std::string>& parameters, v1::StartRunRequest& request) {
  for (const std::string& parameter : parameters) {
    const size_t equals = parameter.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--set expects NAME=VALUE or SUITE.NAME=VALUE, found ", base::Quoted(parameter)));
    }
    (*request.mutable_parameters())[parameter.substr(0, equals)] = parameter.substr(equals + 1);
  }
  return absl::OkStatus();
}

absl::Status ChooseWhat(const RunRequestOptions& options, v1::StartRunRequest& request) {
  std::vector<std::string> suites = options.suites;
  const bool is_plan = options.names.size() == 1 && suites.empty();
  if (is_plan && IsFile(options.names.front()))
    return base::ReadTextProto(options.names.front(), request.mutable_plan());
  if (is_plan) {
    RETURN_IF_ERROR(base::CheckPlanName(options.names.front()));
    request.set_plan_name(options.names.front());
    return absl::OkStatus();
  }
  suites.insert(suites.end(), options.names.begin(), options.names.end());
  if (suites.empty()) {
    return absl::InvalidArgumentError(
        "expected a plan, a plan's file (NAME.textproto) or --suite NAME; `muster plans` lists the plans");
  }
  for (const std::string& suite : suites) {
    if (IsFile(suite))
      return absl::InvalidArgumentError(
          absl::StrCat("a plan's file stands alone, found others beside ", base::Quoted(suite)));
    RETURN_IF_ERROR(base::CheckSuiteName(suite));
  }
  *request.mutable_plan() = PlanOfSuites(suites);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::Level> ParseLevel(const std::string& text) {
  static const std::map<std::string, v1::Level> kLevels = {
      {"", v1::LEVEL_UNSPECIFIED}, {"quick", v1::LEVEL_QUICK},   {"medium", v1::LEVEL_MEDIUM},
      {"long", v1::LEVEL_LONG},    {"stress", v1::LEVEL_STRESS}, {"1", v1::LEVEL_QUICK},
      {"2", v1::LEVEL_MEDIUM},     {"3", v1::LEVEL_LONG},        {"4", v1::LEVEL_STRESS}};
  const auto it = kLevels.find(text);
  if (it != kLevels.end()) return it->second;
  return absl::InvalidArgumentError(
      absl::StrCat("--level expects quick, medium, long, stress or 1 to 4, found ", base::Quoted(text)));
}

v1::Plan PlanOfSuites(const std::vector<std::string>& suites) {
  v1::Plan plan;
  plan.set_name(absl::StrJoin(suites, "-"));
  if (plan.name().size() > 64) plan.set_name("suites");
  for (const std::string& suite : suites) plan.add_suites()->set_suite(suite);
  return plan;
}

void SetCases(const std::vector<std::string>& cases, v1::Plan& plan) {
  for (v1::PlanSuite& suite : *plan.mutable_suites()) suite.mutable_cases()->Assign(cases.begin(), cases.end());
}

absl::StatusOr<v1::StartRunRequest> BuildRunRequest(const RunRequestOptions& options) {
  v1::StartRunRequest request;
  RETURN_IF_ERROR(ChooseWhat(options, request));
  if (request.has_plan() && !options.cases.empty()) SetCases(options.cases, *request.mutable_plan());
  request.set_on(options.on);
  ASSIGN_OR_RETURN(const v1::Level level, ParseLevel(options.level));
  request.set_level(level);
  RETURN_IF_ERROR(AddParameters(options.parameters, request));
  request.set_on_quarantined(options.on_quarantined);
  request.set_destructive(options.destructive);
  if (options.priority.has_value()) request.set_priority(*options.priority);
  return request;
}

}  // namespace muster::cli
