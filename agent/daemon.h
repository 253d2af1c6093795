// The running agent: one event loop, and on it the core, between outbox, executor and connector.
//
//   connector ──messages──► core ──RUN, CANCEL──► executor          threads: the loop's (Run's caller), one for syncs,
//   one now and
//       ▲                    │ ▲                      │             then for chores that block (inventory, renewal),
//       gRPC's, and the └──state, events─────┘ └──────events──────────┘             executor's; all post to the loop.
//                            ▼
//                         outbox ──► sync worker
#ifndef MUSTER_AGENT_DAEMON_H_
#define MUSTER_AGENT_DAEMON_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "agent/executor/job_executor.h"
#include "agent/link/agent_core.h"
#include "agent/link/connector.h"
#include "agent/link/sync_worker.h"
#include "agent/monitor/monitor.h"
#include "agent/outbox/outbox.h"
#include "base/event_loop.h"

namespace muster::agent {

class Daemon {
 public:
  struct Parts {
    std::string coordinator;  // For the log.
    std::unique_ptr<Outbox> outbox;
    JobExecutor* executor = nullptr;  // Outlives the daemon; its sink is set by it.
    ChannelMaker make_channel;
    // Blocks; what this machine is. Called at the start and again when a session was lost.
    std::function<v1::Hello()> make_hello;
    // Watches the GPUs; null: nobody does.
    std::function<std::unique_ptr<Monitor>(Monitor::Handlers)> make_monitor;
    // Blocks; called at the start and every hour.
    std::function<void()> renew_identity;
    // Blocks; why no session came about, for the log. OK: it would now.
    std::function<absl::Status()> explain;
  };

  Daemon(base::ThreadEventLoop& loop, Parts parts);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Until Stop(); an error is one that a restart may mend (the disk's).
  absl::Status Run();
  // The machine as it was last looked at; on the loop.
  const v1::Machine& machine() const { return hello_.machine(); }
  // On the loop. Null without a monitor.
  const Monitor* monitor() const { return monitor_.get(); }
  // On the loop: a session that the coordinator has welcomed; jobs that run.
  bool connected() const { return core_.connected(); }
  int running_jobs() const { return core_.running_jobs(); }
  // Any thread: ends jobs, makes their ends durable, tells the coordinator if it listens, and lets Run() return.
  void Stop(std::string reason);

 private:
  void Wake();
  void Turn();
  void SetTimer();
  void OnSynced(const SyncJob& job, const absl::Status& status);
  void OnUnreachable();
  // Runs `work` on the chore thread and then what it gives on the loop. Left out when a chore is under way.
  bool StartChore(std::function<base::EventLoop::Task()> work);
  void LookAgain();
  void UseHello(v1::Hello hello);
  void RenewNowAndThen();
  void GiveMemoryBackWhenIdle();
  void KeepGivingMemoryBack();

  base::ThreadEventLoop& loop_;
  Parts parts_;
  Connector connector_;
  AgentCore core_;
  SyncWorker sync_worker_;
  std::unique_ptr<Monitor> monitor_;
  std::thread chore_;
  bool chore_runs_ = false;
  v1::Hello hello_;
  bool look_again_ = false;     // When the chore is done.
  int64_t hello_mono_ms_ = -1;  // -1: there is none yet.
  bool explained_ = false;
  bool turn_posted_ = false;
  bool stopping_ = false;
  bool leaving_ = false;
  int64_t timer_at_ms_ = INT64_MAX;
  base::EventLoop::TimerId timer_ = 0;
  base::EventLoop::TimerId memory_timer_ = 0;
  absl::Status result_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_DAEMON_H_
