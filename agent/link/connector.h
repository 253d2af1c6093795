// Keeps a session with the coordinator open: connects, and connects again after a pause.
//
// Lives on the event loop: all its functions and all handlers are called there. Each try has a channel of its own, so
// that new certificates are used and gRPC's own pauses do not add to ours. What an older session still says is dropped
// here.
#ifndef MUSTER_AGENT_LINK_CONNECTOR_H_
#define MUSTER_AGENT_LINK_CONNECTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agent/link/agent_core.h"
#include "agent/link/back_off.h"
#include "base/event_loop.h"
#include "muster/v1/agent_service.pb.h"

namespace grpc {
class Channel;
class Status;
}  // namespace grpc

namespace muster::agent {

// A channel to the coordinator, or why there can be none now (no certificate yet, …).
using ChannelMaker = std::function<absl::StatusOr<std::shared_ptr<grpc::Channel>>()>;

class Connector final : public MessageSink {
 public:
  struct Handlers {
    std::function<void()> on_connected;  // Messages can be sent; whether they arrive is another matter.
    std::function<void()> on_disconnected;
    std::function<void()> on_unreachable;  // After on_disconnected, when the session was never welcomed. May be null.
    std::function<void(const v1::CoordinatorMessage&)> on_message;
  };

  // `address` is HOST:PORT, for the log. `loop` must outlive the connector and what it posts.
  Connector(base::EventLoop& loop, std::string address, ChannelMaker make_channel, std::function<uint64_t()> random,
            Handlers handlers);
  // Waits until gRPC is done with the session.
  ~Connector() override;
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  void Start();
  // Ends the session, after what was sent has been written; `on_stopped` is called when it is over, or after a second.
  void Stop(std::function<void()> on_stopped);
  // Ends the session and opens another at once; used when there is something new to say hello with.
  void Reconnect();
  void Send(v1::AgentMessage message) override;

 private:
  struct Session;
  void TryConnect();
  void OnMessage(uint64_t session, const v1::CoordinatorMessage& message);
  void OnDone(const std::string& problem);
  void TryLater(const std::string& problem);
  void FinishStop();

  base::EventLoop& loop_;
  const std::string address_;
  const ChannelMaker make_channel_;
  const Handlers handlers_;
  BackOff back_off_;
  std::unique_ptr<Session> session_;
  // Of the last try. Kept until the next one has its own, so that gRPC keeps its threads.
  std::shared_ptr<grpc::Channel> channel_;
  uint64_t session_number_ = 0;
  int64_t welcomed_mono_ms_ = -1;  // -1: not in this session.
  std::string refusal_;            // What the coordinator said before it ended the session.
  std::string last_problem_;       // As logged.
  base::EventLoop::TimerId retry_ = 0;
  std::function<void()> on_stopped_;
  bool stopping_ = false;
  std::shared_ptr<bool> alive_;  // False once destroyed: what was posted before looks here.
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_LINK_CONNECTOR_H_
