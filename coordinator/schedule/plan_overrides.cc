// PlanOf: the overrides of a StartRunRequest.
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/names.h"
#include "base/status_macros.h"
#include "coordinator/schedule/plan_expansion.h"

namespace muster::coordinator {
namespace {

// The names of the parameters that any machine's manifest of the suite declares.
std::set<std::string> DeclaredBy(std::string_view suite, const Machines& fleet) {
  std::set<std::string> names;
  for (const MachineRecord* record : fleet) {
    for (const v1::SuiteManifest& manifest : record->suites) {
      if (manifest.name() != suite) continue;
      for (const v1::Parameter& parameter : manifest.parameters()) names.insert(parameter.name());
    }
  }
  return names;
}

// Sets "name" or "suite.name" in the suites of the plan that it means.
absl::Status SetParameter(const std::string& key, const std::string& value, const Machines& fleet, v1::Plan& plan) {
  const size_t dot = key.find('.');
  const std::string only_suite = dot == std::string::npos ? "" : key.substr(0, dot);
  const std::string name = dot == std::string::npos ? key : key.substr(dot + 1);
  bool set = false;
  std::set<std::string> declared;
  for (v1::PlanSuite& suite : *plan.mutable_suites()) {
    const std::set<std::string> names = DeclaredBy(suite.suite(), fleet);
    for (const std::string& known : names) declared.insert(absl::StrCat(suite.suite(), ".", known));
    if ((!only_suite.empty() && suite.suite() != only_suite) || !names.contains(name)) continue;
    (*suite.mutable_parameters())[name] = value;
    set = true;
  }
  if (set) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("no suite of the plan declares the parameter ", base::Quoted(key),
                   "; they declare: ", declared.empty() ? "none" : absl::StrJoin(declared, ", ")));
}

}  // namespace

absl::StatusOr<v1::Plan> PlanOf(const v1::StartRunRequest& request, const Machines& fleet) {
  v1::Plan plan = request.plan();
  if (!request.on().empty()) plan.set_on(request.on());
  if (request.has_priority()) plan.set_priority(request.priority());
  if (request.level() != v1::LEVEL_UNSPECIFIED) {
    plan.set_level(request.level());
    for (v1::PlanSuite& suite : *plan.mutable_suites()) suite.clear_level();
  }
  // "suite.name" after "name": what is said of one suite wins.
  for (const bool with_suite : {false, true}) {
    for (const auto& [key, value] : request.parameters()) {
      if ((key.find('.') != std::string::npos) != with_suite) continue;
      RETURN_IF_ERROR(SetParameter(key, value, fleet, plan));
    }
  }
  return plan;
}

}  // namespace muster::coordinator
