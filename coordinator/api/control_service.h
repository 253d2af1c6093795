// ControlService: what users and scripts ask.
//
// gRPC calls in on its own threads. A method checks the caller's role, then works where its data is: on the core's loop
// (through CoreRunner, whose answer comes when what was seen is durable) or on a worker (store, files, reports); never
// in gRPC's thread. Outlives the server it is registered with.
#ifndef MUSTER_COORDINATOR_API_CONTROL_SERVICE_H_
#define MUSTER_COORDINATOR_API_CONTROL_SERVICE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "coordinator/api/authorizer.h"
#include "coordinator/api/enrollment.h"
#include "coordinator/api/plan_folder.h"
#include "coordinator/api/pull_stream.h"
#include "coordinator/api/run_feed.h"
#include "coordinator/daemon/core_runner.h"
#include "coordinator/daemon/worker_pool.h"
#include "coordinator/report/run_report.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/store.h"
#include "muster/v1/control_service.grpc.pb.h"

namespace muster::coordinator {

class ControlService final : public v1::ControlService::CallbackService {
 public:
  // All outlive the service.
  struct Parts {
    CoreRunner& runner;
    Store& store;
    JobFiles& files;
    WorkerPool& workers;
    RunFeed& feed;
    const Authorizer& authorizer;
    const Enrollment& enrollment;
    const PlanFolder& plans;
  };
  explicit ControlService(const Parts& parts) : parts_(parts) {}

  using Context = grpc::CallbackServerContext;
  template <typename Response>
  using Stream = grpc::ServerWriteReactor<Response>;
  using Unary = grpc::ServerUnaryReactor;

  Unary* StartRun(Context*, const v1::StartRunRequest*, v1::StartRunResponse*) override;
  Unary* GetRun(Context*, const v1::GetRunRequest*, v1::GetRunResponse*) override;
  Unary* ListRuns(Context*, const v1::ListRunsRequest*, v1::ListRunsResponse*) override;
  Stream<v1::RunUpdate>* WatchRun(Context*, const v1::WatchRunRequest*) override;
  Unary* CancelRun(Context*, const v1::CancelRunRequest*, v1::CancelRunResponse*) override;
  Unary* ListPlans(Context*, const v1::ListPlansRequest*, v1::ListPlansResponse*) override;
  Unary* ListMachines(Context*, const v1::ListMachinesRequest*, v1::ListMachinesResponse*) override;
  Unary* GetMachine(Context*, const v1::GetMachineRequest*, v1::GetMachineResponse*) override;
  Unary* SetQuarantine(Context*, const v1::SetQuarantineRequest*, v1::SetQuarantineResponse*) override;
  Unary* ReleaseQuarantine(Context*, const v1::ReleaseQuarantineRequest*, v1::ReleaseQuarantineResponse*) override;
  Stream<v1::ReadLogResponse>* ReadLog(Context*, const v1::ReadLogRequest*) override;
  Unary* ListArtifacts(Context*, const v1::ListArtifactsRequest*, v1::ListArtifactsResponse*) override;
  Stream<v1::ReadArtifactResponse>* ReadArtifact(Context*, const v1::ReadArtifactRequest*) override;
  Stream<v1::GetReportResponse>* GetReport(Context*, const v1::GetReportRequest*) override;
  Unary* CreateToken(Context*, const v1::CreateTokenRequest*, v1::CreateTokenResponse*) override;

 private:
  using Done = std::function<void(const absl::Status&)>;

  // A reactor whose call ends when `work`, on a worker, has called the Done that it is given; at once when the caller
  // may not.
  Unary* OnWorker(Context* context, v1::Role role, std::function<void(const Caller& caller, Done done)> work);
  // On the loop; `done` is called when what `ask` saw and did is durable.
  void AskCore(std::function<absl::Status(Core& core, base::Time now)> ask, Done done);
  // The same for streams: `prepare` calls Begin or Fail.
  template <typename Response>
  Stream<Response>* Pulled(Context* context, std::function<void(PullStream<Response>& stream)> prepare);
  // Reads a run as users mean it with its machines, then calls `use` on the loop or a worker.
  void WithReport(const std::string& run, std::function<void(absl::StatusOr<RunReport> report)> use);

  const Parts parts_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_CONTROL_SERVICE_H_
