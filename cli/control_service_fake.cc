#include "cli/control_service_fake.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace muster::cli {
namespace {

constexpr int64_t kStartUnixMs = 1'800'000'000'000;

grpc::Status NotFound(const std::string& what) { return {grpc::StatusCode::NOT_FOUND, what}; }

}  // namespace

std::string FakeControlService::Serve(int port) {
  {
    base::MutexLock lock(mutex_);
    stopping_ = false;
  }
  grpc::ServerBuilder builder;
  int bound = 0;
  builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(), &bound);
  // The port is this server's alone: another process's must not get its calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  return absl::StrCat("127.0.0.1:", bound);
}

void FakeControlService::StopServing() {
  if (server_ == nullptr) return;
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_.reset();
}

void FakeControlService::AddMachine(const v1::MachineStatus& machine) {
  base::MutexLock lock(mutex_);
  machines_[machine.machine().name()] = machine;
}
void FakeControlService::AddPlan(const v1::Plan& plan) {
  base::MutexLock lock(mutex_);
  plans_[plan.name()] = plan;
}
void FakeControlService::Autoplay(std::map<std::string, v1::CaseResult> outcomes) {
  base::MutexLock lock(mutex_);
  autoplay_ = true;
  outcomes_ = std::move(outcomes);
}
void FakeControlService::Measure(const std::string& suite_case, const v1::Measurement& measurement) {
  base::MutexLock lock(mutex_);
  measured_[suite_case].push_back(measurement);
}
void FakeControlService::SetLog(const std::string& job_id, v1::LogStream stream, const std::string& data) {
  base::MutexLock lock(mutex_);
  logs_[{job_id, stream}] = data;
}
void FakeControlService::SetArtifact(const std::string& job_id, const std::string& name, const std::string& data) {
  base::MutexLock lock(mutex_);
  artifacts_[{job_id, name}] = data;
}

v1::StartRunRequest FakeControlService::last_start() const {
  base::MutexLock lock(mutex_);
  return last_start_;
}
v1::CreateTokenRequest FakeControlService::last_token() const {
  base::MutexLock lock(mutex_);
  return last_token_;
}
int FakeControlService::watches() const {
  base::MutexLock lock(mutex_);
  return watches_;
}
bool FakeControlService::AwaitWatches(int count) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  base::MutexLock lock(mutex_);
  while (watches_ < count) {
    if (!changed_.WaitUntil(mutex_, until)) return false;
  }
  return true;
}
void FakeControlService::FailNext(const grpc::Status& status) {
  base::MutexLock lock(mutex_);
  failure_ = status;
}
grpc::Status FakeControlService::TakeFailure() { return std::exchange(failure_, grpc::Status::OK); }

void FakeControlService::Changed() {
  ++version_;
  changed_.NotifyAll();
}

FakeControlService::FakeRun* FakeControlService::Find(const std::string& run_id) {
  if (run_id == "last") return runs_.empty() ? nullptr : runs_.back().get();
  for (const auto& run : runs_) {
    if (absl::StartsWith(run->run.id(), run_id)) return run.get();
  }
  return nullptr;
}
FakeControlService::FakeRun& FakeControlService::RunOf(const std::string& job_id) {
  return *Find(job_id.substr(0, job_id.find('/')));
}

grpc::Status FakeControlService::StartRun(grpc::ServerContext*, const v1::StartRunRequest* request,
                                          v1::StartRunResponse* response) {
  base::MutexLock lock(mutex_);
  if (const grpc::Status failure = TakeFailure(); !failure.ok()) return failure;
  last_start_ = *request;
  if (!request->has_plan() && plans_.count(request->plan_name()) == 0)
    return NotFound(absl::StrCat("no plan is called ", request->plan_name()));
  auto run = std::make_unique<FakeRun>();
  run->run.set_id(absl::StrCat("r-00000000000", runs_.size() + 10));
  *run->run.mutable_plan() = request->has_plan() ? request->plan() : plans_[request->plan_name()];
  run->run.set_state(v1::RUN_STATE_ACTIVE);
  run->run.set_created_unix_ms(kStartUnixMs);
  run->run.set_requested_by("tester");
  Expand(run->run.plan(), *run);
  runs_.push_back(std::move(run));
  *response->mutable_run() = runs_.back()->run;
  if (autoplay_) Play(*runs_.back());
  Changed();
  return grpc::Status::OK;
}

grpc::Status FakeControlService::GetRun(grpc::ServerContext*, const v1::GetRunRequest* request,
                                        v1::GetRunResponse* response) {
  base::MutexLock lock(mutex_);
  if (const grpc::Status failure = TakeFailure(); !failure.ok()) return failure;
  const FakeRun* run = Find(request->run_id());
  if (run == nullptr) return NotFound(absl::StrCat("no run is called ", request->run_id()));
  *response->mutable_run() = run->run;
  for (const auto& [id, job] : run->jobs) *response->add_jobs() = job;
  for (const auto& [id, group] : run->measurements) {
    if (request->with_measurements()) *response->add_measurements() = group;
  }
  return grpc::Status::OK;
}

grpc::Status FakeControlService::ListRuns(grpc::ServerContext*, const v1::ListRunsRequest* request,
                                          v1::ListRunsResponse* response) {
  base::MutexLock lock(mutex_);
  if (const grpc::Status failure = TakeFailure(); !failure.ok()) return failure;
  for (auto it = runs_.rbegin(); it != runs_.rend(); ++it) {
    if (request->plan_name().empty() || (*it)->run.plan().name() == request->plan_name())
      *response->add_runs() = (*it)->run;
  }
  return grpc::Status::OK;
}

grpc::Status FakeControlService::WatchRun(grpc::ServerContext* context, const v1::WatchRunRequest* request,
                                          grpc::ServerWriter<v1::RunUpdate>* writer) {
  mutex_.Lock();
  ++watches_;
  Changed();
  if (const grpc::Status failure = TakeFailure(); !failure.ok()) {
    mutex_.Unlock();
    return failure;
  }
  while (true) {
    const FakeRun* run = Find(request->run_id());
    if (run == nullptr || stopping_ || context->IsCancelled()) {
      const bool unknown = run == nullptr;
      mutex_.Unlock();
      return unknown ? NotFound(absl::StrCat("no run is called ", request->run_id()))
                     : grpc::Status(grpc::StatusCode::UNAVAILABLE, "shutting down");
    }
    v1::RunUpdate update;
    *update.mutable_run() = run->run;
    for (const auto& [id, job] : run->jobs) *update.add_jobs() = job;
    for (const auto& [id, running] : run->running) *update.add_running() = running;
    const bool finished = run->run.state() == v1::RUN_STATE_FINISHED;
    const uint64_t seen = version_;
    mutex_.Unlock();
    if (!writer->Write(update) || finished) return grpc::Status::OK;
    mutex_.Lock();
    // Wakes up now and then to see whether the caller has gone.
    while (version_ == seen && !stopping_ && !context->IsCancelled()) {
      changed_.WaitUntil(mutex_, std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
    }
  }
}

grpc::Status FakeControlService::CancelRun(grpc::ServerContext*, const v1::CancelRunRequest* request,
                                           v1::CancelRunResponse* response) {
  base::MutexLock lock(mutex_);
  if (const grpc::Status failure = TakeFailure(); !failure.ok()) return failure;
  FakeRun* run = Find(request->run_id());
  if (run == nullptr) return NotFound(absl::StrCat("no run is called ", request->run_id()));
  run->run.set_cancel_requested(true);
  run->run.set_cancelled_by("tester");
  for (auto& [id, job] : run->jobs) {
    if (job.state() == v1::JOB_STATE_FINISHED) continue;
    for (const v1::ExpectedCase& expected : job.expected()) {
      v1::CaseResult result;
      result.set_case_name(expected.name());
      result.set_outcome(v1::CANCELLED);
      result.set_reason(request->reason());
      End(*run, id, result);
    }
    EndJob(*run, id);
  }
  *response->mutable_run() = run->run;
  return grpc::Status::OK;
}

grpc::Status FakeControlService::ListPlans(grpc::ServerContext*, const v1::ListPlansRequest*,
                                           v1::ListPlansResponse* response) {
  base::MutexLock lock(mutex_);
  if (const grpc::Status failure = TakeFailure(); !failure.ok()) return failure;
  for (const auto& [name, plan] : plans_) *response->add_plans() = plan;
  return grpc::Status::OK;
}

grpc::Status FakeControlService::ListMachines(grpc::ServerContext*, const v1::ListMachinesRequest* request,
                                              v1::ListMachinesResponse* response) {
  base::MutexLock lock(mutex_);
  if (const grpc::Status failure = TakeFailure(); !failure.ok()) return failure;
  for (const auto& [name, machine] : machines_) {
    // The only selector this fleet understands.
    if (!request->on().empty() && request->on() != absl::StrCat("name=", name)) continue;
    *response->add_machines() = machine;
  }
  return grpc::Status::OK;
}

grpc::Status FakeControlService::GetMachine(grpc::ServerContext*, const v1::GetMachineRequest* request,
                                            v1::GetMachineResponse* response) {
  base::MutexLock lock(mutex_);
  if (const grpc::Status failure = TakeFailure(); !failure.ok()) return failure;
  const auto it = machines_.find(request->name());
  if (it == machines_.end()) return NotFound(absl::StrCat("no machine is called ", request->name()));
  *response->mutable_machine() = it->second;
  return grpc::Status::OK;
}

grpc::Status FakeControlService::ReadLog(grpc::ServerContext*, const v1::ReadLogRequest* request,
                                         grpc::ServerWriter<v1::ReadLogResponse>* writer) {
  base::MutexLock lock(mutex_);
  for (const auto& [key, data] : logs_) {
    if (key.first != request->job_id()) continue;
    if (request->stream() != v1::LOG_STREAM_UNSPECIFIED && request->stream() != key.second) continue;
    v1::ReadLogResponse response;
    response.mutable_chunk()->set_stream(static_cast<v1::LogStream>(key.second));
    response.mutable_chunk()->set_data(data);
    writer->Write(response);
  }
  return grpc::Status::OK;
}

grpc::Status FakeControlService::ListArtifacts(grpc::ServerContext*, const v1::ListArtifactsRequest* request,
                                               v1::ListArtifactsResponse* response) {
  base::MutexLock lock(mutex_);
  for (const auto& [key, data] : artifacts_) {
    v1::Artifact& artifact = *response->add_artifacts();
    artifact.set_job_id(key.first);
    artifact.set_attempt(1);
    artifact.set_name(key.second);
    artifact.set_size_bytes(data.size());
  }
  return grpc::Status::OK;
}

grpc::Status FakeControlService::ReadArtifact(grpc::ServerContext*, const v1::ReadArtifactRequest* request,
                                              grpc::ServerWriter<v1::ReadArtifactResponse>* writer) {
  base::MutexLock lock(mutex_);
  const auto it = artifacts_.find({request->job_id(), request->name()});
  if (it == artifacts_.end()) return NotFound(absl::StrCat("no artifact ", request->name()));
  // In two parts, as large ones come.
  for (const std::string& part :
       {it->second.substr(0, it->second.size() / 2), it->second.substr(it->second.size() / 2)}) {
    v1::ReadArtifactResponse response;
    response.set_data(part);
    writer->Write(response);
  }
  return grpc::Status::OK;
}

grpc::Status FakeControlService::GetReport(grpc::ServerContext*, const v1::GetReportRequest* request,
                                           grpc::ServerWriter<v1::GetReportResponse>* writer) {
  base::MutexLock lock(mutex_);
  const FakeRun* run = Find(request->run_id());
  if (run == nullptr) return NotFound(absl::StrCat("no run is called ", request->run_id()));
  v1::GetReportResponse response;
  response.set_data(absl::StrCat("report ", v1::ReportFormat_Name(request->format()), " of ", run->run.id(), "\n"));
  writer->Write(response);
  return grpc::Status::OK;
}

grpc::Status FakeControlService::CreateToken(grpc::ServerContext*, const v1::CreateTokenRequest* request,
                                             v1::CreateTokenResponse* response) {
  base::MutexLock lock(mutex_);
  if (const grpc::Status failure = TakeFailure(); !failure.ok()) return failure;
  last_token_ = *request;
  response->set_token("muster1.id.secret.ca");
  response->set_expires_unix_ms(kStartUnixMs + request->lifetime_ms());
  return grpc::Status::OK;
}

// Of devices this fleet knows the ids.
grpc::Status FakeControlService::SetQuarantine(grpc::ServerContext*, const v1::SetQuarantineRequest* request,
                                               v1::SetQuarantineResponse* response) {
  base::MutexLock lock(mutex_);
  if (const grpc::Status failure = TakeFailure(); !failure.ok()) return failure;
  const auto it = machines_.find(request->machine());
  if (it == machines_.end()) return NotFound(absl::StrCat("no machine is called ", request->machine()));
  v1::Quarantine& quarantine = *it->second.add_quarantines();
  quarantine.set_machine(request->machine());
  quarantine.set_device_id(request->device());
  quarantine.set_reason(request->reason());
  quarantine.set_author("tester");
  quarantine.set_since_unix_ms(kStartUnixMs);
  *response->mutable_quarantine() = quarantine;
  return grpc::Status::OK;
}

grpc::Status FakeControlService::ReleaseQuarantine(grpc::ServerContext*, const v1::ReleaseQuarantineRequest* request,
                                                   v1::ReleaseQuarantineResponse* response) {
  base::MutexLock lock(mutex_);
  if (const grpc::Status failure = TakeFailure(); !failure.ok()) return failure;
  auto& quarantines = *machines_[request->machine()].mutable_quarantines();
  for (int i = 0; i < quarantines.size(); ++i) {
    if (quarantines[i].device_id() != request->device()) continue;
    *response->mutable_quarantine() = quarantines[i];
    quarantines.DeleteSubrange(i, 1);
    return grpc::Status::OK;
  }
  return NotFound(absl::StrCat(request->machine(), " is not in quarantine"));
}

}  // namespace muster::cli
