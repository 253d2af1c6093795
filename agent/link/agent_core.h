// The agent's mind: what it runs, what it says, what it sends again; and no I/O but through its seams.
//
// Inputs change the state, Tick() acts on it: it starts what may start and sends what may be sent. The owner calls
// Tick() once after the inputs of a turn and whenever NextDeadlineMonoMs() has come, then takes a sync if there is one.
// All on one thread, that of the event loop. The simulation (tests/simulation) drives the very same class.
//
//   attempt:   RUN ──► ACCEPTED ──devices free──► RUNNING ──JobFinished──► FINISHED ──FORGET──► gone
//                         └──────CANCEL, SUPERSEDED, refused by the executor─────┘
//
// The rules of the session are in docs/architecture.md, section 3.
#ifndef MUSTER_AGENT_LINK_AGENT_CORE_H_
#define MUSTER_AGENT_LINK_AGENT_CORE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "agent/executor/job_executor.h"
#include "agent/link/device_watch.h"
#include "agent/outbox/outbox.h"
#include "base/event_loop.h"
#include "muster/v1/agent_service.pb.h"

namespace muster::agent {

// Where messages go while a session is open.
class MessageSink {
 public:
  virtual ~MessageSink() = default;
  virtual void Send(v1::AgentMessage message) = 0;
};

struct AgentCoreOptions {
  // Until the coordinator says another.
  int64_t heartbeat_interval_ms = 5'000;
  // Bytes of events that may be under way without an ack, over all attempts.
  size_t window_bytes = 4 << 20;
  size_t batch_bytes = 512 << 10;
  int batch_events = 1'024;
  // An attempt whose events are not acked for so long is sent again, one event first; twice as long each time.
  int64_t resend_after_ms = 10'000;
  int64_t max_resend_after_ms = 300'000;
  // Health reports follow each other no faster.
  int64_t health_interval_ms = 1'000;
};

class AgentCore {
 public:
  // Ends what an earlier life left unfinished. The seams must outlive the core; the executor's events go to
  // OnJobEvent().
  AgentCore(const AgentCoreOptions& options, Outbox& outbox, JobExecutor& executor, MessageSink& sink, base::Time now);
  AgentCore(const AgentCore&) = delete;
  AgentCore& operator=(const AgentCore&) = delete;

  // A session was opened: says hello and what is held. The core sets the protocol's version.
  void Connected(v1::Hello hello, base::Time now);
  void Disconnected();
  // Of the open session alone: what comes late from an older one must not get here.
  void OnMessage(const v1::CoordinatorMessage& message, base::Time now);
  void OnJobEvent(const v1::JobRef& ref, v1::Event event);
  // How the devices are, from now on: sent with each new session and after each change.
  void SetHealth(v1::HealthReport report);
  // Whom to ask for telemetry and for what devices did during a case; null: nobody. Must outlive the core's use of it.
  void SetDeviceWatch(const DeviceWatch* watch) { watch_ = watch; }
  // Ends all jobs with the fate AGENT_RESTARTED and takes no others.
  void Stop(std::string_view reason, base::Time now);
  // After Stop(): all that there is to say is durable.
  bool stopped() const;
  bool connected() const { return connected_ && welcome_; }
  int running_jobs() const;

  void Tick(base::Time now);
  // On the monotonic clock; INT64_MAX when nothing waits.
  int64_t NextDeadlineMonoMs() const;

  // At most one sync is under way. After an error of its Run() the core and the outbox must be made anew.
  std::optional<SyncJob> BeginSync();
  void EndSync(const SyncJob& job);

 private:
  struct InFlight {
    uint64_t last_sequence;
    size_t bytes;
  };
  struct Held {
    v1::HeldAttempt::Phase phase = v1::HeldAttempt::ACCEPTED;  // FINISHED as soon as the end is known, durable or not.
    v1::JobSpec spec;                                          // Until it runs.
    std::set<std::string> devices;
    bool stopping = false;
    bool forget_when_finished = false;
    bool finish_told = false;
    // Sending, in this session.
    uint64_t acked_sequence = 0;
    uint64_t next_to_send = 1;
    std::deque<InFlight> in_flight;
    bool heard = false;  // An ack came: the coordinator knows the attempt.
    int64_t resend_at_ms = INT64_MAX;
    int64_t resend_after_ms = 0;
  };
  using HeldMap = std::map<v1::JobRef, Held, RefLess>;

  void OnDirective(const v1::Directive& directive, base::Time now);
  void OnRun(const v1::Directive& directive, base::Time now);
  void StopAttempt(const v1::JobRef& ref, Held& held, std::string_view reason, base::Time now);
  void Forget(HeldMap::iterator it);
  void OnAck(const v1::Ack& ack, base::Time now);
  void Finish(const v1::JobRef& ref, Held& held, v1::Fate fate, std::string_view detail, base::Time now);
  void StartWaiting(base::Time now);
  bool MustWait(const v1::JobRef& ref, const Held& held) const;
  void SendState(base::Time now);
  void SendHealth(base::Time now);
  void SendTelemetry();
  void ResendSilent(base::Time now);
  void SendEvents(base::Time now);
  bool SendBatch(const v1::JobRef& ref, Held& held, base::Time now);
  void Rewind(Held& held, uint64_t acked_sequence);

  const AgentCoreOptions options_;
  Outbox& outbox_;
  JobExecutor& executor_;
  MessageSink& sink_;
  HeldMap held_;
  // The newest attempts that were forgotten: a RUN that is said again must not begin them anew.
  std::set<v1::JobRef, RefLess> forgotten_;
  std::deque<v1::JobRef> forgotten_order_;
  const DeviceWatch* watch_ = nullptr;
  std::optional<v1::HealthReport> health_;  // Nothing before the first one.
  bool health_changed_ = false;
  int64_t next_health_ms_ = 0;  // Not before.
  std::string stop_reason_;
  bool stopping_ = false;
  bool connected_ = false;
  bool welcome_ = false;  // Events are sent after the Welcome.
  bool state_changed_ = false;
  bool syncing_ = false;
  int64_t heartbeat_interval_ms_;
  int64_t next_heartbeat_ms_ = 0;
  int64_t next_room_check_ms_ = INT64_MAX;
  size_t window_used_ = 0;
  v1::JobRef next_sender_;  // Where the round over the attempts goes on.
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_LINK_AGENT_CORE_H_
