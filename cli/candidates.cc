// What completion asks the coordinator for.
#include <chrono>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/text.h"

namespace muster::cli {
namespace {

// A shell waits for the answer: better none than a late one.
constexpr std::chrono::milliseconds kDeadline{700};

void AddRuns(Client& client, bool jobs, std::vector<Candidate>& candidates) {
  v1::ListRunsRequest request;
  request.set_limit(jobs ? 5 : 50);
  const absl::StatusOr<v1::ListRunsResponse> runs = client.ListRuns(request);
  if (!runs.ok()) return;
  for (const v1::Run& run : runs->runs()) {
    const std::string id = Sanitize(run.id(), 64);
    candidates.push_back({id, Sanitize(run.plan().name(), 64)});
    for (uint32_t number = 1; jobs && number <= std::min<uint32_t>(run.jobs_total(), 50); ++number) {
      candidates.push_back({absl::StrCat(id, "/", number), Sanitize(run.plan().name(), 64)});
    }
  }
}

void AddMachines(Client& client, std::vector<Candidate>& candidates) {
  const absl::StatusOr<v1::ListMachinesResponse> machines = client.ListMachines({});
  if (!machines.ok()) return;
  for (const v1::MachineStatus& status : machines->machines()) {
    candidates.push_back({Sanitize(status.machine().name(), 253), status.connected() ? "connected" : "away"});
  }
}

// Machines, and their GPUs as MACHINE/NUMBER.
void AddTargets(Client& client, std::vector<Candidate>& candidates) {
  const absl::StatusOr<v1::ListMachinesResponse> machines = client.ListMachines({});
  if (!machines.ok()) return;
  for (const v1::MachineStatus& status : machines->machines()) {
    const std::string name = Sanitize(status.machine().name(), 253);
    candidates.push_back({name, "the whole machine"});
    for (int i = 0; i < status.machine().devices_size(); ++i) {
      candidates.push_back({absl::StrCat(name, "/", i), Sanitize(status.machine().devices(i).model(), 128)});
    }
  }
}

void AddQuarantined(Client& client, std::vector<Candidate>& candidates) {
  const absl::StatusOr<v1::ListMachinesResponse> machines = client.ListMachines({});
  if (!machines.ok()) return;
  for (const v1::MachineStatus& status : machines->machines()) {
    for (const v1::Quarantine& quarantine : status.quarantines()) {
      std::string target = Sanitize(quarantine.machine(), 253);
      if (!quarantine.device_id().empty()) absl::StrAppend(&target, "/", Sanitize(quarantine.device_id(), 253));
      candidates.push_back({std::move(target), Sanitize(quarantine.reason(), 100)});
    }
  }
}

void AddSuites(Client& client, std::vector<Candidate>& candidates) {
  v1::ListMachinesRequest request;
  request.set_with_suites(true);
  const absl::StatusOr<v1::ListMachinesResponse> machines = client.ListMachines(request);
  if (!machines.ok()) return;
  std::map<std::string, std::string> suites;
  for (const v1::MachineStatus& status : machines->machines()) {
    for (const v1::SuiteManifest& suite : status.suites())
      suites[Sanitize(suite.name(), 64)] = Sanitize(suite.description(), 100);
  }
  for (const auto& [name, description] : suites) candidates.push_back({name, description});
}

void AddPlans(Client& client, std::vector<Candidate>& candidates) {
  const absl::StatusOr<v1::ListPlansResponse> plans = client.ListPlans({});
  if (!plans.ok()) return;
  for (const v1::Plan& plan : plans->plans())
    candidates.push_back({Sanitize(plan.name(), 64), Sanitize(plan.description(), 100)});
}

}  // namespace

std::vector<Candidate> LookUpCandidates(Values values, Context& context) {
  std::vector<Candidate> candidates;
  const absl::StatusOr<Client*> client = context.client();
  if (!client.ok()) return candidates;
  (*client)->SetDeadline(kDeadline);
  switch (values) {
    case Values::kPlans:
      AddPlans(**client, candidates);
      break;
    case Values::kRuns:
      AddRuns(**client, false, candidates);
      break;
    case Values::kJobs:
      AddRuns(**client, true, candidates);
      break;
    case Values::kMachines:
      AddMachines(**client, candidates);
      break;
    case Values::kTargets:
      AddTargets(**client, candidates);
      break;
    case Values::kQuarantined:
      AddQuarantined(**client, candidates);
      break;
    case Values::kSuites:
      AddSuites(**client, candidates);
      break;
    case Values::kChoices:
    case Values::kFiles:
      break;
  }
  return candidates;
}

}  // namespace muster::cli
