// A coordinator in memory: fleet, plans and runs that behave, without agents. For tests of the commands and of the live
// view.
//
// Serves ControlService in plaintext on a free loopback port. Any thread; a test plays the agents with StartCase(),
// EndCase() and EndJob(), or lets every run play itself at once with `autoplay`.
#ifndef MUSTER_CLI_CONTROL_SERVICE_FAKE_H_
#define MUSTER_CLI_CONTROL_SERVICE_FAKE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "grpcpp/server.h"
#include "muster/v1/control_service.grpc.pb.h"

namespace muster::cli {

class FakeControlService final : public v1::ControlService::Service {
 public:
  FakeControlService() = default;
  ~FakeControlService() override { StopServing(); }

  // Serves at 127.0.0.1:`port` (0: a free one) until StopServing(), which ends every stream. Returns the address.
  std::string Serve(int port = 0);
  void StopServing();

  // What the fleet is like. A run gets one job a suite and machine, with the cases of the machine's manifest.
  void AddMachine(const v1::MachineStatus& machine);
  void AddPlan(const v1::Plan& plan);
  // Runs end as soon as they are started: each case PASSED but for those in `outcomes` ("SUITE/CASE").
  void Autoplay(std::map<std::string, v1::CaseResult> outcomes);
  // Measurements of a case ("SUITE/CASE") that ends.
  void Measure(const std::string& suite_case, const v1::Measurement& measurement);
  void SetLog(const std::string& job_id, v1::LogStream stream, const std::string& data);
  void SetArtifact(const std::string& job_id, const std::string& name, const std::string& data);

  // The agents' part.
  void StartCase(const std::string& job_id, const std::string& case_name);
  void EndCase(const std::string& job_id, const v1::CaseResult& result);
  void EndJob(const std::string& job_id);
  // The attempt's lease is lost; the job is queued again with the next attempt.
  void LoseLease(const std::string& job_id);

  // What was asked.
  v1::StartRunRequest last_start() const;
  v1::CreateTokenRequest last_token() const;
  int watches() const;
  // Waits until so many watches were begun; false when they were not within half a minute.
  bool AwaitWatches(int count);
  // The next call of any method fails so.
  void FailNext(const grpc::Status& status);

  grpc::Status StartRun(grpc::ServerContext* context, const v1::StartRunRequest* request,
                        v1::StartRunResponse* response) override;
  grpc::Status GetRun(grpc::ServerContext* context, const v1::GetRunRequest* request,
                      v1::GetRunResponse* response) override;
  grpc::Status ListRuns(grpc::ServerContext* context, const v1::ListRunsRequest* request,
                        v1::ListRunsResponse* response) override;
  grpc::Status WatchRun(grpc::ServerContext* context, const v1::WatchRunRequest* request,
                        grpc::ServerWriter<v1::RunUpdate>* writer) override;
  grpc::Status CancelRun(grpc::ServerContext* context, const v1::CancelRunRequest* request,
                         v1::CancelRunResponse* response) override;
  grpc::Status ListPlans(grpc::ServerContext* context, const v1::ListPlansRequest* request,
                         v1::ListPlansResponse* response) override;
  grpc::Status ListMachines(grpc::ServerContext* context, const v1::ListMachinesRequest* request,
                            v1::ListMachinesResponse* response) override;
  grpc::Status GetMachine(grpc::ServerContext* context, const v1::GetMachineRequest* request,
                          v1::GetMachineResponse* response) override;
  grpc::Status ReadLog(grpc::ServerContext* context, const v1::ReadLogRequest* request,
                       grpc::ServerWriter<v1::ReadLogResponse>* writer) override;
  grpc::Status ListArtifacts(grpc::ServerContext* context, const v1::ListArtifactsRequest* request,
                             v1::ListArtifactsResponse* response) override;
  grpc::Status ReadArtifact(grpc::ServerContext* context, const v1::ReadArtifactRequest* request,
                            grpc::ServerWriter<v1::ReadArtifactResponse>* writer) override;
  grpc::Status GetReport(grpc::ServerContext* context, const v1::GetReportRequest* request,
                         grpc::ServerWriter<v1::GetReportResponse>* writer) override;
  grpc::Status SetQuarantine(grpc::ServerContext* context, const v1::SetQuarantineRequest* request,
                             v1::SetQuarantineResponse* response) override;
  grpc::Status ReleaseQuarantine(grpc::ServerContext* context, const v1::ReleaseQuarantineRequest* request,
                                 v1::ReleaseQuarantineResponse* response) override;
  grpc::Status CreateToken(grpc::ServerContext* context, const v1::CreateTokenRequest* request,
                           v1::CreateTokenResponse* response) override;

 private:
  struct FakeRun {
    v1::Run run;
    std::map<std::string, v1::Job> jobs;
    std::map<std::string, v1::RunningCase> running;
    std::map<std::string, v1::JobMeasurements> measurements;
  };

  grpc::Status TakeFailure() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // By id, a front of one, or "last".
  FakeRun* Find(const std::string& run_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  FakeRun& RunOf(const std::string& job_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Expand(const v1::Plan& plan, FakeRun& run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Play(FakeRun& run) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void End(FakeRun& run, const std::string& job_id, const v1::CaseResult& result) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndJob(FakeRun& run, const std::string& job_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Changed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable base::Mutex mutex_;
  base::CondVar changed_;
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int watches_ ABSL_GUARDED_BY(mutex_) = 0;
  bool autoplay_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, v1::CaseResult> outcomes_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<v1::Measurement>> measured_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, v1::MachineStatus> machines_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, v1::Plan> plans_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<FakeRun>> runs_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, int>, std::string> logs_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, std::string> artifacts_ ABSL_GUARDED_BY(mutex_);
  v1::StartRunRequest last_start_ ABSL_GUARDED_BY(mutex_);
  v1::CreateTokenRequest last_token_ ABSL_GUARDED_BY(mutex_);
  grpc::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace muster::cli

#endif  // MUSTER_CLI_CONTROL_SERVICE_FAKE_H_
