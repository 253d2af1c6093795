// The server end of one agent's stream (AgentService.Session): the whole of its gRPC protocol, and nothing of its
// meaning.
//
//             first message is a Hello            Refuse(), Close(), OnCancel, peer done,
//   GREETING ─────────────────────────► OPEN      slow reader
//      │                                  │
//      └───────────────┬──────────────────┘
//                      ▼
//                   CLOSING ── outbox empty and no write under way ──► FINISHED ── OnDone ──► gone
//
// gRPC's reactions and any other thread may call in; the mutex is a leaf and is never held while the host is called. A
// self pointer lives until OnDone. Reads stop while this stream has kWindowBytes that are not durable, or all streams
// together have what the IngestBudget allows; a stream whose agent does not read is ended when kMaxOutboxBytes wait.
#ifndef MUSTER_COORDINATOR_API_AGENT_SESSION_H_
#define MUSTER_COORDINATOR_API_AGENT_SESSION_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "base/mutex.h"
#include "coordinator/daemon/ingest_budget.h"
#include "muster/v1/agent_service.pb.h"

namespace muster::coordinator {

class AgentSession;

// Who gives the stream its meaning; called on gRPC's threads.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  // The first message of a session is a Hello, and no other is. `bytes` are taken from the budget until Settled(bytes).
  virtual void OnMessage(const std::shared_ptr<AgentSession>& session, v1::AgentMessage message, size_t bytes) = 0;
  // The last call for this session.
  virtual void OnGone(const std::shared_ptr<AgentSession>& session) = 0;
};

class AgentSession final : public grpc::ServerBidiReactor<v1::AgentMessage, v1::CoordinatorMessage> {
 public:
  static constexpr size_t kWindowBytes = 1 << 20;
  static constexpr size_t kMaxOutboxBytes = 8 << 20;

  // Call inside the method's handler. `machine` is the certificate's name; empty when there is no certificate
  // (plaintext on loopback): then the Hello's name is believed. `host` and `budget` outlive the server.
  static std::shared_ptr<AgentSession> Start(grpc::CallbackServerContext& context, std::string machine,
                                             SessionHost& host, IngestBudget& budget);

  // Any thread. Ignored once the stream is closing.
  void Send(v1::CoordinatorMessage message);
  // Says why as a message, then as the stream's status.
  void Refuse(v1::Refusal::Code code, const std::string& why);
  // Sends what waits, then ends the stream.
  void Close(const grpc::Status& status);
  // `bytes` of OnMessage are durable (or dropped).
  void Settled(size_t bytes);
  // When the time for a Hello is over.
  void EndGreeting();

  // Set before the first OnMessage.
  const std::string& machine() const { return machine_; }

  // For the host alone, on its thread: the session's number in the core; 0 before it has one.
  uint64_t id = 0;

 private:
  AgentSession(grpc::CallbackServerContext& context, std::string machine, SessionHost& host, IngestBudget& budget)
      : context_(context), host_(host), budget_(budget), machine_(std::move(machine)) {}

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // What the stream itself refuses; OK otherwise.
  absl::Status CheckOrder(const v1::AgentMessage& message);
  void Resume();
  void MaybeRead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MaybeWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  grpc::CallbackServerContext& context_;
  SessionHost& host_;
  IngestBudget& budget_;
  std::string machine_;        // Written by the first OnReadDone, before the host knows the session.
  v1::AgentMessage incoming_;  // Of the read under way.
  std::shared_ptr<AgentSession> self_;

  base::Mutex mutex_;
  std::deque<v1::CoordinatorMessage> outbox_ ABSL_GUARDED_BY(mutex_);
  size_t outbox_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t unsettled_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool greeted_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool waits_for_budget_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_AGENT_SESSION_H_
