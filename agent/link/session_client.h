// The agent's end of one AgentService.Session stream; it lives from Start() to on_done.
//
//            Start()                      Close(), or the coordinator ends the stream
//   (none) ──────────► OPEN ───────────────────────────────► CLOSING ──queue written──► HALF-CLOSED ──OnDone──► (gone)
//                       │ Send(): queue, one write at a time                                 ▲
//                       └── a write fails, Abort(): the queue is dropped ────────────────────┘
//
// Writes start on any thread, so a hold keeps the stream alive until the last one was started (gRPC's rule for
// operations from outside a reaction); MaybeWrite() alone starts writes and takes the hold away. The object holds
// itself until OnDone.
#ifndef MUSTER_AGENT_LINK_SESSION_CLIENT_H_
#define MUSTER_AGENT_LINK_SESSION_CLIENT_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <functional>
#include <memory>

#include "base/mutex.h"
#include "muster/v1/agent_service.grpc.pb.h"

namespace muster::agent {

class SessionClient final : public grpc::ClientBidiReactor<v1::AgentMessage, v1::CoordinatorMessage> {
 public:
  // Called on gRPC's threads, one at a time; on_done last, once, with the stream itself. They must not block, and
  // on_done must take the stream to another thread: with the stream may go the last of its channel, and gRPC joins its
  // threads then.
  struct Events {
    std::function<void(v1::CoordinatorMessage)> on_message;
    std::function<void(const grpc::Status&, std::shared_ptr<SessionClient>)> on_done;
  };

  // `stub` must outlive on_done.
  static std::shared_ptr<SessionClient> Start(v1::AgentService::Stub& stub, Events events);

  // Any thread. Nothing is sent after Close().
  void Send(v1::AgentMessage message);
  // Writes what is queued, then tells the coordinator that nothing more comes.
  void Close();
  // Ends the stream now.
  void Abort();

 private:
  explicit SessionClient(Events events) : events_(std::move(events)) {}
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void MaybeWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Events events_;
  grpc::ClientContext context_;
  v1::CoordinatorMessage incoming_;  // gRPC's while a read is under way.
  std::shared_ptr<SessionClient> self_;

  base::Mutex mutex_;
  std::deque<v1::AgentMessage> queue_ ABSL_GUARDED_BY(mutex_);  // The first is being written while writing_.
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_LINK_SESSION_CLIENT_H_
