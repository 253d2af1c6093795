#include "coordinator/api/control_service.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/names.h"
#include "base/plan.h"
#include "base/selector.h"
#include "base/status_macros.h"
#include "coordinator/api/grpc_status.h"
#include "coordinator/api/run_lookup.h"
#include "coordinator/report/run_json.h"

namespace muster::coordinator {
namespace {

constexpr uint32_t kDefaultRuns = 20;
constexpr uint32_t kMaxRuns = 1'000;

absl::Status StoreFails() {
  return absl::UnavailableError("the coordinator's store fails, so nothing can be promised; see the coordinator's log");
}

// The request with the plan in it that it names or brings.
absl::Status PutPlan(const PlanFolder& plans, v1::StartRunRequest& request) {
  if (request.has_plan() != request.plan_name().empty()) {
    return absl::InvalidArgumentError("expected either plan_name or plan; a request has one of them");
  }
  if (request.has_plan()) return base::ValidatePlan(request.plan());
  ASSIGN_OR_RETURN(*request.mutable_plan(), plans.Read(request.plan_name()));
  return absl::OkStatus();
}

// For the log.
std::string NameOf(const v1::Quarantine& quarantine) {
  return absl::StrCat("machine ", quarantine.machine(), quarantine.device_id().empty() ? "" : ", device ",
                      quarantine.device_id());
}

// A machine is meant through its labels or through one of its devices.
bool IsMeant(const base::Selector& on, const v1::Machine& machine) {
  const std::map<std::string, std::string> implied = {{"name", machine.name()}};
  if (on.Matches(machine.labels(), implied)) return true;
  return std::any_of(machine.devices().begin(), machine.devices().end(),
                     [&](const v1::Device& device) { return on.Matches(device.labels(), machine.labels(), implied); });
}

}  // namespace

grpc::ServerUnaryReactor* ControlService::OnWorker(Context* context, v1::Role role,
                                                   std::function<void(const Caller& caller, Done done)> work) {
  Unary* reactor = context->DefaultReactor();
  const absl::StatusOr<Caller> caller = parts_.authorizer.Require(*context, role);
  if (!caller.ok()) {
    reactor->Finish(ToGrpc(caller.status()));
    return reactor;
  }
  const Done done = [reactor](const absl::Status& status) { reactor->Finish(ToGrpc(status)); };
  if (!parts_.workers.TryPost([work = std::move(work), caller = *caller, done] { work(caller, done); }))
    done(BusyStatus());
  return reactor;
}

void ControlService::AskCore(std::function<absl::Status(Core& core, base::Time now)> ask, Done done) {
  if (!parts_.runner.store_works()) {
    done(StoreFails());
    return;
  }
  parts_.runner.Submit(
      [ask = std::move(ask), done = std::move(done)](Core& core, base::Time now) -> CoreRunner::Answer {
        return [status = ask(core, now), done](const absl::Status& durable) { done(durable.ok() ? status : durable); };
      });
}

grpc::ServerUnaryReactor* ControlService::StartRun(Context* context, const v1::StartRunRequest* request,
                                                   v1::StartRunResponse* response) {
  return OnWorker(context, v1::ROLE_OPERATOR, [this, request, response](const Caller& caller, Done done) {
    v1::StartRunRequest whole = *request;
    if (const absl::Status status = PutPlan(parts_.plans, whole); !status.ok()) {
      done(status);
      return;
    }
    AskCore(
        [whole = std::move(whole), response, by = caller.name](Core& core, base::Time now) -> absl::Status {
          ASSIGN_OR_RETURN(*response->mutable_run(), core.StartRun(whole, by, now));
          base::LogInfo("run ", response->run().id(), " (", base::Quoted(response->run().plan().name()), ", ",
                        response->run().jobs_total(), " jobs) was started by ", base::Quoted(by));
          return absl::OkStatus();
        },
        std::move(done));
  });
}

grpc::ServerUnaryReactor* ControlService::GetRun(Context* context, const v1::GetRunRequest* request,
                                                 v1::GetRunResponse* response) {
  return OnWorker(context, v1::ROLE_VIEWER, [this, request, response](const Caller&, Done done) {
    const auto read = [this, request]() -> absl::StatusOr<RunReport> {
      ASSIGN_OR_RETURN(const std::string run_id, ResolveRun(parts_.store, request->run_id()));
      if (request->with_measurements()) return ReadReport(parts_.store, run_id);
      RunReport report;
      ASSIGN_OR_RETURN(report.stored, parts_.store.ReadRun(run_id));
      return report;
    };
    absl::StatusOr<RunReport> report = read();
    if (report.ok()) *response = RunResponse(*std::move(report), request->with_all_attempts());
    done(report.status());
  });
}

grpc::ServerUnaryReactor* ControlService::ListRuns(Context* context, const v1::ListRunsRequest* request,
                                                   v1::ListRunsResponse* response) {
  return OnWorker(context, v1::ROLE_VIEWER, [this, request, response](const Caller&, Done done) {
    const uint32_t limit = request->limit() == 0 ? kDefaultRuns : std::min(request->limit(), kMaxRuns);
    absl::StatusOr<std::vector<v1::Run>> runs =
        parts_.store.ListRuns(limit, request->before_run_id(), request->plan_name());
    if (runs.ok()) {
      for (v1::Run& run : *runs) *response->add_runs() = std::move(run);
    }
    done(runs.status());
  });
}

grpc::ServerUnaryReactor* ControlService::CancelRun(Context* context, const v1::CancelRunRequest* request,
                                                    v1::CancelRunResponse* response) {
  return OnWorker(context, v1::ROLE_OPERATOR, [this, request, response](const Caller& caller, Done done) {
    const absl::StatusOr<std::string> run_id = ResolveRun(parts_.store, request->run_id());
    if (!run_id.ok()) {
      done(run_id.status());
      return;
    }
    AskCore(
        [id = *run_id, request, response, by = caller.name](Core& core, base::Time now) -> absl::Status {
          ASSIGN_OR_RETURN(*response->mutable_run(), core.CancelRun(id, by, request->reason(), now));
          base::LogInfo("run ", id, " was cancelled by ", base::Quoted(by));
          return absl::OkStatus();
        },
        std::move(done));
  });
}

grpc::ServerUnaryReactor* ControlService::ListPlans(Context* context, const v1::ListPlansRequest*,
                                                    v1::ListPlansResponse* response) {
  return OnWorker(context, v1::ROLE_VIEWER, [this, response](const Caller&, Done done) {
    std::vector<std::string> problems;
    for (v1::Plan& plan : parts_.plans.ReadAll(problems)) *response->add_plans() = std::move(plan);
    for (const std::string& problem : problems) base::LogWarning("a plan cannot be used: ", problem);
    done(absl::OkStatus());
  });
}

grpc::ServerUnaryReactor* ControlService::ListMachines(Context* context, const v1::ListMachinesRequest* request,
                                                       v1::ListMachinesResponse* response) {
  return OnWorker(context, v1::ROLE_VIEWER, [this, request, response](const Caller&, Done done) {
    absl::StatusOr<base::Selector> on = base::Selector::Parse(request->on());
    if (!on.ok()) {
      done(on.status());
      return;
    }
    AskCore(
        [on = *std::move(on), request, response](Core& core, base::Time) {
          const Core::Detail detail = request->with_suites() ? Core::Detail::kSuites : Core::Detail::kBrief;
          for (v1::MachineStatus& status : core.Machines(detail)) {
            if (!IsMeant(on, status.machine())) continue;
            *response->add_machines() = std::move(status);
          }
          return absl::OkStatus();
        },
        std::move(done));
  });
}

grpc::ServerUnaryReactor* ControlService::GetMachine(Context* context, const v1::GetMachineRequest* request,
                                                     v1::GetMachineResponse* response) {
  return OnWorker(context, v1::ROLE_VIEWER, [this, request, response](const Caller&, Done done) {
    AskCore(
        [request, response](Core& core, base::Time) -> absl::Status {
          ASSIGN_OR_RETURN(*response->mutable_machine(), core.FindMachine(request->name()));
          return absl::OkStatus();
        },
        std::move(done));
  });
}

grpc::ServerUnaryReactor* ControlService::SetQuarantine(Context* context, const v1::SetQuarantineRequest* request,
                                                        v1::SetQuarantineResponse* response) {
  return OnWorker(context, v1::ROLE_OPERATOR, [this, request, response](const Caller& caller, Done done) {
    AskCore(
        [request, response, by = caller.name](Core& core, base::Time now) -> absl::Status {
          ASSIGN_OR_RETURN(*response->mutable_quarantine(), core.SetQuarantine(*request, by, now));
          base::LogInfo(NameOf(response->quarantine()), " was quarantined by ", base::Quoted(by), ": ",
                        request->reason());
          return absl::OkStatus();
        },
        std::move(done));
  });
}

grpc::ServerUnaryReactor* ControlService::ReleaseQuarantine(Context* context,
                                                            const v1::ReleaseQuarantineRequest* request,
                                                            v1::ReleaseQuarantineResponse* response) {
  return OnWorker(context, v1::ROLE_OPERATOR, [this, request, response](const Caller& caller, Done done) {
    AskCore(
        [request, response, by = caller.name](Core& core, base::Time now) -> absl::Status {
          ASSIGN_OR_RETURN(*response->mutable_quarantine(), core.ReleaseQuarantine(*request, now));
          base::LogInfo(NameOf(response->quarantine()), " was released by ", base::Quoted(by),
                        request->reason().empty() ? "" : ": ", request->reason());
          return absl::OkStatus();
        },
        std::move(done));
  });
}

grpc::ServerUnaryReactor* ControlService::ListArtifacts(Context* context, const v1::ListArtifactsRequest* request,
                                                        v1::ListArtifactsResponse* response) {
  return OnWorker(context, v1::ROLE_VIEWER, [this, request, response](const Caller&, Done done) {
    const auto list = [this, request]() -> absl::StatusOr<std::vector<v1::Artifact>> {
      ASSIGN_OR_RETURN(const std::string run_id, ResolveRun(parts_.store, request->run_id()));
      return parts_.files.ListArtifacts(run_id);
    };
    absl::StatusOr<std::vector<v1::Artifact>> artifacts = list();
    if (artifacts.ok()) {
      for (v1::Artifact& artifact : *artifacts) *response->add_artifacts() = std::move(artifact);
    }
    done(artifacts.status());
  });
}

grpc::ServerUnaryReactor* ControlService::CreateToken(Context* context, const v1::CreateTokenRequest* request,
                                                      v1::CreateTokenResponse* response) {
  return OnWorker(context, v1::ROLE_ADMIN, [this, request, response](const Caller& caller, Done done) {
    AskCore(
        [this, request, response, by = caller.name](Core& core, base::Time now) -> absl::Status {
          ASSIGN_OR_RETURN(Enrollment::NewToken token, parts_.enrollment.CreateToken(*request, now));
          base::LogInfo("token ", token.record.id, " (", v1::Role_Name(token.record.role), ") was made by ",
                        base::Quoted(by));
          core.AddToken(std::move(token.record));
          *response = std::move(token.response);
          return absl::OkStatus();
        },
        std::move(done));
  });
}

}  // namespace muster::coordinator
