// One running job: the program, the thread that watches it, and what becomes of its output.
//
// The thread polls the program's pipes, its end, the time limits and a descriptor that wakes it, and gives the events
// to the event loop. Stages: running; stopping (SIGTERM was sent, SIGKILL follows after the grace period); ended (what
// it left behind is killed, the pipes are read to their end or for kDrainMs); then results and artifacts are read and
// JobFinished is the last word. A program that cannot even be killed (it hangs in the driver) is given up after
// kGiveUpMs, and the job says so.
#ifndef MUSTER_AGENT_EXECUTOR_RUNNING_JOB_H_
#define MUSTER_AGENT_EXECUTOR_RUNNING_JOB_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/executor/case_book.h"
#include "agent/executor/enclosure.h"
#include "agent/executor/event_stream.h"
#include "agent/executor/job_log.h"
#include "agent/executor/result_reader.h"
#include "base/event_loop.h"
#include "base/mutex.h"
#include "base/subprocess.h"
#include "muster/v1/event.pb.h"
#include "muster/v1/fleet.pb.h"
#include "muster/v1/suite.pb.h"

namespace muster::agent {

// All that a job needs; made on the event loop.
struct JobPlan {
  v1::SuiteManifest manifest;
  std::vector<CaseBook::Requested> cases;
  std::vector<v1::Device> devices;
  base::Subprocess::Options program;  // Without the enclosure's part.
  std::string folder;                 // Of this attempt; exists, and is removed at the end.
  std::string artifact_folder;
  std::string junit_file;
  int64_t job_limit_ms = 0;
  int64_t grace_ms = 0;
};

class RunningJob {
 public:
  // Starts the program. `deliver` gets each event on the loop; `wake_fd` and everything else lives as long as the job.
  static absl::StatusOr<std::unique_ptr<RunningJob>> Start(JobPlan plan, std::unique_ptr<Enclosure> enclosure,
                                                           base::EventLoop* loop, EventStream::Deliver deliver);
  // Kills at once and waits for the thread.
  ~RunningJob();

  // Any thread. The first reason counts.
  void Cancel(std::string_view reason);
  // Any thread. SIGKILL without grace.
  void Kill();

 private:
  RunningJob(JobPlan plan, std::unique_ptr<Enclosure> enclosure, base::EventLoop* loop, EventStream::Deliver deliver,
             base::OwnedFd wake, base::Subprocess program);

  void Run();
  void EmitStarted();
  void PollOnce();
  int PollTimeoutMs(int64_t now_ms) const;
  void ReadPipe(base::OwnedFd& pipe, bool is_stdout);
  void TakeRequests();
  void CheckTime();
  void Stop(ProgramEnd::Stop stop, std::string reason);
  void OnProgramEnded();
  void Finish();
  v1::Fate FateOfEnd() const;
  std::unique_ptr<ResultReader> MakeReader();
  void Emit(v1::Event event);
  void EmitArtifacts();
  void WaitForRoom();

  const JobPlan plan_;
  base::EventLoop& loop_;
  const std::shared_ptr<base::OwnedFd> wake_;  // eventfd; shared with what is still posted on the loop.

  // The thread's own.
  std::unique_ptr<Enclosure> enclosure_;
  base::Subprocess program_;
  EventStream events_;
  JobLog log_;
  CaseBook book_;
  std::unique_ptr<ResultReader> reader_;
  std::string buffer_;  // For reading.
  ProgramEnd end_;
  bool ended_ = false;
  bool given_up_ = false;
  bool killed_ = false;  // By Kill(): nobody reads the events any more.
  int64_t started_mono_ms_ = 0;
  std::optional<int64_t> kill_mono_ms_;     // When SIGKILL is due, once stopping.
  std::optional<int64_t> give_up_mono_ms_;  // Once killed.
  std::optional<int64_t> drained_mono_ms_;  // When reading stops, once ended.
  std::optional<int64_t> rekill_mono_ms_;   // While somebody still holds a pipe, once ended.
  std::optional<int64_t> log_due_mono_ms_;

  // What others ask of the thread.
  base::Mutex mutex_;
  std::optional<std::string> cancel_ ABSL_GUARDED_BY(mutex_);
  bool kill_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_RUNNING_JOB_H_
