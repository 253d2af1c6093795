#include "coordinator/schedule/plan_expansion.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/manifest.h"
#include "base/names.h"
#include "base/parameter.h"
#include "base/plan.h"
#include "base/selector.h"
#include "base/status_macros.h"
#include "coordinator/fleet/fleet_table.h"

namespace muster::coordinator {
namespace {

using base::Selector;
using Devices = std::vector<const v1::Device*>;

// What selectors see beside the labels.
std::map<std::string, std::string> Implied(const v1::Machine& machine) { return {{"name", machine.name()}}; }

bool MachineMatches(const Selector& selector, const v1::Machine& machine) {
  return selector.Matches(machine.labels(), Implied(machine));
}

// Of a device that no driver serves, only what PCI shows is known.
bool DeviceMatches(const Selector& selector, const v1::Machine& machine, const v1::Device& device) {
  if (IsUsable(device)) return selector.Matches(device.labels(), machine.labels(), Implied(machine));
  return selector.CouldMatch(device.labels(), machine.labels(), Implied(machine));
}

// A machine and those of its devices that the plan is for.
struct Target {
  const MachineRecord* record = nullptr;
  Devices devices;
  const v1::Machine& machine() const { return record->machine; }
};

// Leaves what the selector does not match. A machine with GPUs is meant through them, one without through its labels.
std::vector<Target> Narrow(const std::vector<Target>& targets, const Selector& selector) {
  std::vector<Target> kept;
  for (const Target& target : targets) {
    Target narrowed{.record = target.record};
    for (const v1::Device* device : target.devices) {
      if (DeviceMatches(selector, target.machine(), *device)) narrowed.devices.push_back(device);
    }
    const bool no_gpu = target.devices.empty() && MachineMatches(selector, target.machine());
    if (no_gpu || !narrowed.devices.empty()) kept.push_back(std::move(narrowed));
  }
  return kept;
}

std::vector<Target> AllOf(const Machines& fleet) {
  std::vector<Target> targets;
  for (const MachineRecord* record : fleet) {
    Target& target = targets.emplace_back(Target{.record = record});
    for (const v1::Device& device : record->machine.devices()) target.devices.push_back(&device);
  }
  return targets;
}

const v1::SuiteManifest* FindSuite(const MachineRecord& record, std::string_view name) {
  for (const v1::SuiteManifest& suite : record.suites) {
    if (suite.name() == name) return &suite;
  }
  return nullptr;
}

// What a machine says is wrong with a suite; empty when it says nothing.
std::string ProblemWith(const MachineRecord& record, const std::string& suite) {
  for (const std::string& problem : record.suite_problems) {
    if (absl::StrContains(problem, suite)) return problem;
  }
  return "";
}

std::vector<const v1::SuiteManifest*> ManifestsOf(const Machines& fleet, std::string_view suite) {
  std::vector<const v1::SuiteManifest*> manifests;
  for (const MachineRecord* record : fleet) {
    if (const v1::SuiteManifest* manifest = FindSuite(*record, suite)) manifests.push_back(manifest);
  }
  return manifests;
}

absl::Status UnknownSuite(const std::string& suite, const Machines& fleet) {
  std::set<std::string> names;
  std::string problem;
  for (const MachineRecord* record : fleet) {
    for (const v1::SuiteManifest& manifest : record->suites) names.insert(manifest.name());
    if (problem.empty()) problem = ProblemWith(*record, suite);
  }
  return absl::InvalidArgumentError(absl::StrCat("no machine has a suite ", base::Quoted(suite),
                                                 "; there are: ", names.empty() ? "none" : absl::StrJoin(names, ", "),
                                                 problem.empty() ? "" : absl::StrCat(" (", problem, ")")));
}

absl::StatusOr<Selector> ParseOn(const std::string& what, const std::string& text) {
  absl::StatusOr<Selector> selector = Selector::Parse(text);
  if (selector.ok()) return selector;
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", selector.status().message()));
}

absl::Status CheckNotDestructive(const std::string& suite, const std::vector<const v1::Case*>& cases) {
  for (const v1::Case* declared : cases) {
    if (!declared->destructive()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("case ", declared->name(), " of suite '", suite, "' is destructive: it may end other users' work ",
                     "on the machine and lose state; to run it all the same, start the run with --destructive"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<const v1::Case*>> SelectOne(const v1::SuiteManifest& manifest, v1::Level level,
                                                       const std::string& name) {
  google::protobuf::RepeatedPtrField<std::string> names;
  *names.Add() = name;
  return base::SelectCases(manifest, level, names);
}

// Expands one suite of the plan; made anew for each.
class SuiteExpansion {
 public:
  SuiteExpansion(const v1::PlanSuite& suite, v1::Level level, const Machines& fleet, bool destructive)
      : suite_(suite), level_(level), destructive_(destructive), manifests_(ManifestsOf(fleet, suite.suite())) {}

  // Whether any machine has the suite, each name and pattern of a case means one somewhere, and all of them are
  // allowed.
  absl::Status Check(const Machines& fleet) const;
  absl::Status AddMachine(const Target& target, std::vector<PlannedJob>& jobs);

 private:
  using Cases = std::vector<const v1::Case*>;

  // Those that the plan means, as far as the manifest has them.
  absl::StatusOr<Cases> CasesOf(const v1::SuiteManifest& manifest) const;
  // SKIPPED (or ERROR, when the machine says why it has none) as another machine's manifest has the cases.
  absl::Status AddWithoutSuite(const Target& target, std::vector<PlannedJob>& jobs);
  PlannedJob MakeJob(const Target& target, const v1::SuiteManifest& manifest, const Cases& cases,
                     const Devices& devices);
  PlannedJob NotRunnable(const Target& target, const v1::SuiteManifest& manifest, const Cases& cases,
                         const Devices& devices, v1::Verdict outcome, const std::string& reason);
  // A job on these devices; a second one, SKIPPED, for the cases that ask for more than the devices have.
  absl::Status AddRunnable(const Target& target, const v1::SuiteManifest& manifest, const Cases& cases,
                           const Devices& devices, std::vector<PlannedJob>& jobs);
  // Cases of one device scope.
  absl::Status AddByScope(const Target& target, const v1::SuiteManifest& manifest, v1::DeviceScope scope,
                          const Cases& cases, const Selector& requirement, std::vector<PlannedJob>& jobs);

  const v1::PlanSuite& suite_;
  const v1::Level level_;
  const bool destructive_;
  const std::vector<const v1::SuiteManifest*> manifests_;
};

absl::Status SuiteExpansion::Check(const Machines& fleet) const {
  if (manifests_.empty()) return UnknownSuite(suite_.suite(), fleet);
  for (const std::string& name : suite_.cases()) {
    absl::Status status;
    for (const v1::SuiteManifest* manifest : manifests_) {
      status = SelectOne(*manifest, level_, name).status();
      if (!absl::IsNotFound(status)) break;
    }
    if (!status.ok()) return absl::InvalidArgumentError(status.message());
  }
  if (destructive_) return absl::OkStatus();
  for (const v1::SuiteManifest* manifest : manifests_) {
    ASSIGN_OR_RETURN(const Cases meant, CasesOf(*manifest));
    RETURN_IF_ERROR(CheckNotDestructive(suite_.suite(), meant));
  }
  return absl::OkStatus();
}

absl::StatusOr<SuiteExpansion::Cases> SuiteExpansion::CasesOf(const v1::SuiteManifest& manifest) const {
  if (suite_.cases().empty()) return base::SelectCases(manifest, level_, suite_.cases());
  std::set<const v1::Case*> wanted;
  for (const std::string& name : suite_.cases()) {
    absl::StatusOr<Cases> meant = SelectOne(manifest, level_, name);
    if (absl::IsNotFound(meant.status())) continue;  // Another machine has it.
    RETURN_IF_ERROR(meant.status());
    wanted.insert(meant->begin(), meant->end());
  }
  Cases cases;
  for (const v1::Case& declared : manifest.cases()) {
    if (wanted.contains(&declared)) cases.push_back(&declared);
  }
  return cases;
}

PlannedJob SuiteExpansion::MakeJob(const Target& target, const v1::SuiteManifest& manifest, const Cases& cases,
                                   const Devices& devices) {
  PlannedJob planned;
  planned.job.set_machine(target.machine().name());
  planned.job.set_diagnostic(manifest.diagnostic());
  v1::JobSpec& spec = *planned.job.mutable_spec();
  spec.set_suite(manifest.name());
  spec.set_suite_version(manifest.version());
  spec.set_level(level_);
  for (const v1::Device* device : devices) spec.add_device_ids(device->id());
  *spec.mutable_parameters() = suite_.parameters();
  for (const v1::Case* declared : cases) {
    spec.add_cases(declared->name());
    if (declared->destructive()) spec.set_destructive(true);
    v1::ExpectedCase& expected = *planned.job.add_expected();
    expected.set_name(declared->name());
    expected.set_needs_gpu_work(declared->needs_gpu_work());
    expected.set_time_limit_ms(base::CaseTimeLimitMs(manifest, *declared));
  }
  return planned;
}

PlannedJob SuiteExpansion::NotRunnable(const Target& target, const v1::SuiteManifest& manifest, const Cases& cases,
                                       const Devices& devices, v1::Verdict outcome, const std::string& reason) {
  PlannedJob planned = MakeJob(target, manifest, cases, devices);
  planned.job.set_not_runnable_reason(reason);
  for (const v1::Case* declared : cases) {
    v1::CaseResult& result = planned.results.emplace_back();
    result.set_case_name(declared->name());
    result.set_outcome(outcome);
    result.set_reason(reason);
    result.set_needs_gpu_work(declared->needs_gpu_work());
  }
  return planned;
}

// Why the case cannot run on the devices (on the machine, when there are none); empty when it can.
absl::StatusOr<std::string> UnmetBy(const v1::Case& declared, const Target& target, const Devices& devices) {
  if (declared.requirement().empty()) return "";
  ASSIGN_OR_RETURN(const Selector requirement, ParseOn(absl::StrCat("case ", declared.name()), declared.requirement()));
  const v1::Machine& machine = target.machine();
  for (const v1::Device* device : devices) {
    const std::string unmet = requirement.Explain(device->labels(), machine.labels(), Implied(machine));
    if (!unmet.empty()) return absl::StrCat("needs ", declared.requirement(), ": device ", device->id(), ", ", unmet);
  }
  if (!devices.empty() || MachineMatches(requirement, machine)) return "";
  for (const v1::Device* device : target.devices) {
    if (DeviceMatches(requirement, machine, *device)) return "";
  }
  return absl::StrCat("needs ", declared.requirement(), ": machine ", machine.name(), " has no such device");
}

absl::Status SuiteExpansion::AddRunnable(const Target& target, const v1::SuiteManifest& manifest, const Cases& cases,
                                         const Devices& devices, std::vector<PlannedJob>& jobs) {
  Cases runnable;
  std::map<std::string, Cases> unmet;
  for (const v1::Case* declared : cases) {
    ASSIGN_OR_RETURN(const std::string why, UnmetBy(*declared, target, devices));
    (why.empty() ? runnable : unmet[why]).push_back(declared);
  }
  if (!runnable.empty()) jobs.push_back(MakeJob(target, manifest, runnable, devices));
  for (const auto& [why, left_out] : unmet) {
    jobs.push_back(NotRunnable(target, manifest, left_out, devices, v1::SKIPPED, why));
  }
  return absl::OkStatus();
}

absl::Status SuiteExpansion::AddByScope(const Target& target, const v1::SuiteManifest& manifest, v1::DeviceScope scope,
                                        const Cases& cases, const Selector& requirement,
                                        std::vector<PlannedJob>& jobs) {
  Devices fit, dead;
  for (const v1::Device* device : target.devices) {
    if (!DeviceMatches(requirement, target.machine(), *device)) continue;
    (IsUsable(*device) ? fit : dead).push_back(device);
  }
  const std::string& machine = target.machine().name();
  const bool for_machine = scope == v1::DEVICE_SCOPE_MACHINE;
  if (fit.empty() && dead.empty() && !(for_machine && MachineMatches(requirement, target.machine()))) {
    const std::string reason =
        requirement.empty() ? absl::StrCat("needs a GPU: machine ", machine, " has none")
                            : absl::StrCat("needs ", requirement.text(), ": machine ", machine, " has no such device");
    jobs.push_back(NotRunnable(target, manifest, cases, {}, v1::SKIPPED, reason));
    jobs.back().lacks_device = !for_machine || !requirement.empty();
    return absl::OkStatus();
  }
  if (for_machine) return AddRunnable(target, manifest, cases, {}, jobs);
  if (scope == v1::DEVICE_SCOPE_ALL && !fit.empty()) {
    RETURN_IF_ERROR(AddRunnable(target, manifest, cases, fit, jobs));
    fit.clear();
  }
  for (const v1::Device* device : fit) RETURN_IF_ERROR(AddRunnable(target, manifest, cases, {device}, jobs));
  for (const v1::Device* device : dead) {
    const std::string& problem = device->driver_problem();
    const std::string reason =
        absl::StrCat("device ", device->id(), " at ", device->pci_address(),
                     " cannot be used: ", problem.empty() ? v1::DriverState_Name(device->driver_state()) : problem);
    jobs.push_back(NotRunnable(target, manifest, cases, {device}, v1::FAILED, reason));
  }
  return absl::OkStatus();
}

absl::Status SuiteExpansion::AddWithoutSuite(const Target& target, std::vector<PlannedJob>& jobs) {
  const std::string& machine = target.machine().name();
  const std::string problem = ProblemWith(*target.record, suite_.suite());
  std::string reason = absl::StrCat("machine ", machine, " has no suite '", suite_.suite(), "'");
  if (!problem.empty())
    reason = absl::StrCat("machine ", machine, " cannot use suite '", suite_.suite(), "': ", problem);
  if (FindSuite(*target.record, suite_.suite()) != nullptr) reason += " with these cases";
  for (const v1::SuiteManifest* model : manifests_) {
    ASSIGN_OR_RETURN(const Cases cases, CasesOf(*model));
    if (cases.empty()) continue;
    jobs.push_back(NotRunnable(target, *model, cases, {}, problem.empty() ? v1::SKIPPED : v1::ERROR, reason));
    jobs.back().lacks_suite = problem.empty();
    break;
  }
  return absl::OkStatus();
}

absl::Status SuiteExpansion::AddMachine(const Target& target, std::vector<PlannedJob>& jobs) {
  const v1::SuiteManifest* manifest = FindSuite(*target.record, suite_.suite());
  if (manifest == nullptr) return AddWithoutSuite(target, jobs);
  ASSIGN_OR_RETURN(const Cases cases, CasesOf(*manifest));
  if (cases.empty()) return suite_.cases().empty() ? absl::OkStatus() : AddWithoutSuite(target, jobs);
  const std::string where = absl::StrCat("machine ", target.machine().name(), ", suite '", suite_.suite(), "'");
  if (absl::Status status = base::ResolveParameters(*manifest, suite_.parameters()).status(); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": ", status.message()));
  }
  ASSIGN_OR_RETURN(const Selector requirement, ParseOn(absl::StrCat(where, ", requirement"), manifest->requirement()));
  std::map<v1::DeviceScope, Cases> by_scope;  // Jobs of one device each come first.
  for (const v1::Case* declared : cases) by_scope[base::ScopeOf(*manifest, *declared)].push_back(declared);
  for (const auto& [scope, of_scope] : by_scope) {
    RETURN_IF_ERROR(AddByScope(target, *manifest, scope, of_scope, requirement, jobs));
  }
  return absl::OkStatus();
}

absl::Status NoMachine(const v1::Plan& plan, const Machines& fleet) {
  if (fleet.empty()) {
    return absl::InvalidArgumentError(
        "there is no machine in the fleet: enrol one (muster token create, muster-agent)");
  }
  std::vector<std::string> names;
  for (const MachineRecord* record : fleet) {
    if (names.size() < 10) names.push_back(record->machine.name());
  }
  return absl::InvalidArgumentError(absl::StrCat("no machine matches ", base::Quoted(plan.on()), "; there ",
                                                 fleet.size() == 1 ? "is: " : "are: ", absl::StrJoin(names, ", "),
                                                 fleet.size() > names.size() ? ", …" : ""));
}

// A run that would only say of each suite that it is not there tests nothing: that is a mistake in the request.
absl::Status CheckAnySuite(const std::vector<PlannedJob>& jobs) {
  const bool none =
      !jobs.empty() && std::all_of(jobs.begin(), jobs.end(), [](const auto& job) { return job.lacks_suite; });
  if (!none) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("none of the machines selected has any of the suites: ", jobs.front().job.not_runnable_reason(),
                   "; what each has: muster machine NAME"));
}

void AddNotes(const std::vector<Target>& targets, Expansion& expansion) {
  const bool any_gpu = std::any_of(targets.begin(), targets.end(), [](const Target& t) { return !t.devices.empty(); });
  const bool any_wants_gpu = std::any_of(expansion.jobs.begin(), expansion.jobs.end(), [](const PlannedJob& job) {
    return job.lacks_device && !job.results.empty();
  });
  if (!any_gpu && any_wants_gpu) expansion.notes.push_back("no machine has a GPU: the GPU cases are SKIPPED");
}

}  // namespace

absl::StatusOr<Expansion> Expand(const v1::Plan& plan, const Machines& fleet, uint32_t max_jobs, bool destructive) {
  RETURN_IF_ERROR(base::ValidatePlan(plan));
  ASSIGN_OR_RETURN(const Selector on, ParseOn("on", plan.on()));
  const std::vector<Target> targets = Narrow(AllOf(fleet), on);
  if (targets.empty()) return NoMachine(plan, fleet);
  Expansion expansion;
  for (const v1::PlanSuite& suite : plan.suites()) {
    const v1::Level level = base::LevelOf(plan, suite);
    ASSIGN_OR_RETURN(const Selector suite_on, ParseOn(absl::StrCat("suite '", suite.suite(), "', on"), suite.on()));
    SuiteExpansion expand(suite, level, fleet, destructive);
    RETURN_IF_ERROR(expand.Check(fleet));
    const size_t before = expansion.jobs.size();
    for (const Target& target : Narrow(targets, suite_on)) {
      RETURN_IF_ERROR(expand.AddMachine(target, expansion.jobs));
      if (expansion.jobs.size() > max_jobs) {
        return absl::InvalidArgumentError(
            absl::StrCat("the plan makes more than ", max_jobs, " jobs: narrow it with 'on', or run it in parts"));
      }
    }
    if (expansion.jobs.size() == before) {
      expansion.notes.push_back(absl::StrCat("suite '", suite.suite(), "' has nothing to run at level ",
                                             base::LevelName(level), " on the machines of this run"));
    }
  }
  if (expansion.jobs.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("nothing to run: ", absl::StrJoin(expansion.notes, "; ")));
  }
  RETURN_IF_ERROR(CheckAnySuite(expansion.jobs));
  AddNotes(targets, expansion);
  return expansion;
}

}  // namespace muster::coordinator
