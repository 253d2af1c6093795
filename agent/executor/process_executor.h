// The JobExecutor that runs real programs.
//
// All methods on the event loop. Each running job has a thread of its own (RunningJob) that posts its events to the
// loop; a job's events arrive in order, and nothing of it runs any more when its JobFinished does.
#ifndef MUSTER_AGENT_EXECUTOR_PROCESS_EXECUTOR_H_
#define MUSTER_AGENT_EXECUTOR_PROCESS_EXECUTOR_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/executor/enclosure.h"
#include "agent/executor/job_executor.h"
#include "agent/executor/running_job.h"
#include "agent/executor/suite_catalogue.h"
#include "base/event_loop.h"
#include "muster/v1/fleet.pb.h"
#include "muster/v1/suite.pb.h"

namespace muster::agent {

class ProcessExecutor final : public JobExecutor {
 public:
  struct Options {
    std::string suites_folder;  // libexec/muster/suites.
    // For the folders of running jobs; this agent's and no other's. What an earlier life of the agent left is removed.
    std::string work_folder;
    // For what suites keep from run to run, a folder each; empty: they keep nothing.
    std::string suite_state_folder;
    // Programs run as this user (the agent must be root); empty: as the agent.
    std::string run_as_user;
    // Where a simulated machine's /proc, /sys and /dev are: suites are told.
    std::string root = "/";
    // Further variables of the agent's environment that programs get.
    std::vector<std::string> pass_environment;
    Enclosures::Means enclosure_means = Enclosures::Means::kBest;
  };
  // The machine as it is now, with its devices; asked when a job starts.
  using MachineSource = std::function<v1::Machine()>;

  // Loads the suites, and kills what an earlier life of this agent left running. `loop` outlives the executor.
  static absl::StatusOr<std::unique_ptr<ProcessExecutor>> Create(Options options, base::EventLoop* loop,
                                                                 MachineSource machine);
  // Kills what runs and waits for it; the sink is not called any more.
  ~ProcessExecutor() override;

  void SetSink(EventSink sink) override;
  absl::Status Start(const v1::JobRef& ref, const v1::JobSpec& spec) override;
  void Cancel(const v1::JobRef& ref, std::string_view reason) override;

  // For Hello.
  const SuiteCatalogue& suites() const { return suites_; }
  // In a sentence, for the log: how jobs are held together.
  std::string DescribeEnclosure() const { return enclosures_->Describe(); }
  size_t running() const { return jobs_.size(); }

 private:
  using Key = std::tuple<std::string, uint32_t, uint64_t>;
  struct Shared {  // With what is posted on the loop, which may outlive the executor.
    EventSink sink;
    ProcessExecutor* executor = nullptr;
  };

  ProcessExecutor(Options options, base::EventLoop* loop, MachineSource machine);
  absl::Status Prepare();
  absl::StatusOr<JobPlan> MakePlan(const v1::JobRef& ref, const v1::JobSpec& spec) const;
  absl::Status MakeFolders(JobPlan& plan, const std::string& name) const;
  absl::StatusOr<std::vector<v1::Device>> FindDevices(const v1::SuiteManifest& manifest, const v1::JobSpec& spec,
                                                      const v1::Machine& machine) const;
  static Key KeyOf(const v1::JobRef& ref);

  const Options options_;
  base::EventLoop& loop_;
  const MachineSource machine_;
  const std::shared_ptr<Shared> shared_;
  std::unique_ptr<Enclosures> enclosures_;
  std::optional<base::Subprocess::User> user_;
  SuiteCatalogue suites_;
  std::map<Key, std::unique_ptr<RunningJob>> jobs_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_PROCESS_EXECUTOR_H_
