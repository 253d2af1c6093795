#include "agent/link/connector.h"

#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/link/session_client.h"
#include "base/log.h"

namespace muster::agent {
namespace {

// A session that lived so long was a good one: the next pause is short again.
constexpr int64_t kStableMs = 10'000;
constexpr int64_t kStopMs = 1'000;
constexpr int64_t kWelcomeMs = 30'000;

std::string RefusalText(const v1::Refusal& refusal) {
  return absl::StrCat("the coordinator refuses this agent (", v1::Refusal::Code_Name(refusal.code()),
                      "): ", refusal.message());
}

}  // namespace

// At most one at a time: the next one begins when the last one's end has come to the loop.
struct Connector::Session {
  std::unique_ptr<v1::AgentService::Stub> stub;
  std::shared_ptr<SessionClient> client;
  std::future<void> done;  // gRPC calls nothing of it any more.
};

Connector::Connector(base::EventLoop& loop, std::string address, ChannelMaker make_channel,
                     std::function<uint64_t()> random, Handlers handlers)
    : loop_(loop),
      address_(std::move(address)),
      make_channel_(std::move(make_channel)),
      handlers_(std::move(handlers)),
      back_off_(std::move(random)),
      alive_(std::make_shared<bool>(true)) {}

Connector::~Connector() {
  *alive_ = false;
  if (session_ == nullptr) return;
  session_->client->Abort();
  session_->done.wait();
}

void Connector::Start() { TryConnect(); }

void Connector::Stop(std::function<void()> on_stopped) {
  stopping_ = true;
  on_stopped_ = std::move(on_stopped);
  loop_.Cancel(retry_);
  if (session_ == nullptr) {
    FinishStop();
    return;
  }
  session_->client->Close();
  loop_.RunAfter(kStopMs, [this, alive = alive_] {
    if (*alive) FinishStop();
  });
}

void Connector::Reconnect() {
  if (session_ == nullptr || stopping_) return;
  base::LogInfo("ending the session with ", address_, " to open another");
  back_off_.Reset();
  session_->client->Close();
  // A coordinator that does not end its half is not waited for.
  loop_.RunAfter(kStopMs, [this, number = session_number_, alive = alive_] {
    if (*alive && session_ != nullptr && session_number_ == number) session_->client->Abort();
  });
}

void Connector::Send(v1::AgentMessage message) {
  if (session_ != nullptr) session_->client->Send(std::move(message));
}

void Connector::TryConnect() {
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = make_channel_();
  if (!channel.ok()) {
    TryLater(std::string(channel.status().message()));
    return;
  }
  channel_ = *std::move(channel);
  const uint64_t number = ++session_number_;
  refusal_.clear();
  welcomed_mono_ms_ = -1;
  session_ = std::make_unique<Session>();
  session_->stub = v1::AgentService::NewStub(channel_);
  const auto done = std::make_shared<std::promise<void>>();
  session_->done = done->get_future();
  const auto post = [&loop = loop_, alive = alive_](std::function<void()> task) {
    loop.Post([alive, task = std::move(task)] {
      if (*alive) task();
    });
  };
  session_->client = SessionClient::Start(
      *session_->stub,
      {.on_message =
           [this, post, number](v1::CoordinatorMessage message) {
             post([this, number, message = std::move(message)] { OnMessage(number, message); });
           },
       .on_done =
           [this, post, done](const grpc::Status& status, std::shared_ptr<SessionClient> client) {
             post([this, problem = status.error_message(), client = std::move(client)] { OnDone(problem); });
             done->set_value();
           }});
  loop_.RunAfter(kWelcomeMs, [this, number, alive = alive_] {
    if (!*alive || session_ == nullptr || session_number_ != number || welcomed_mono_ms_ >= 0) return;
    base::LogWarning(address_, " accepted the stream and has not answered in ", kWelcomeMs / 1000, " s; ending it");
    session_->client->Abort();
  });
  handlers_.on_connected();
}

void Connector::OnMessage(uint64_t session, const v1::CoordinatorMessage& message) {
  if (session != session_number_ || session_ == nullptr) return;
  if (message.has_refusal()) {
    refusal_ = RefusalText(message.refusal());
    return;
  }
  if (message.has_welcome()) {
    welcomed_mono_ms_ = loop_.Now().mono_ms;
    last_problem_.clear();
    base::LogInfo("connected to ", address_);
  }
  handlers_.on_message(message);
}

void Connector::OnDone(const std::string& problem) {
  session_.reset();
  const bool was_welcome = welcomed_mono_ms_ >= 0;
  if (was_welcome && loop_.Now().mono_ms - welcomed_mono_ms_ >= kStableMs) back_off_.Reset();
  handlers_.on_disconnected();
  if (stopping_) {
    FinishStop();
  } else if (!refusal_.empty()) {
    TryLater(refusal_);
  } else if (was_welcome) {
    TryLater(absl::StrCat("lost the session with ", address_, problem.empty() ? " (the coordinator ended it)" : ": ",
                          problem));
  } else {
    if (handlers_.on_unreachable) handlers_.on_unreachable();
    TryLater(absl::StrCat("cannot reach ", address_, ": ", problem.empty() ? "the stream ended at once" : problem));
  }
}

void Connector::TryLater(const std::string& problem) {
  const int64_t delay_ms = back_off_.NextDelayMs();
  const std::string line =
      absl::StrCat(problem, "; next try in ", absl::StrFormat("%.1f s", static_cast<double>(delay_ms) / 1e3));
  // The same problem again and again is said once as a warning.
  if (problem == last_problem_) {
    base::LogDebug(line);
  } else {
    base::LogWarning(line);
  }
  last_problem_ = problem;
  retry_ = loop_.RunAfter(delay_ms, [this, alive = alive_] {
    if (*alive && !stopping_) TryConnect();
  });
}

void Connector::FinishStop() {
  if (session_ != nullptr) session_->client->Abort();
  if (const std::function<void()> on_stopped = std::exchange(on_stopped_, nullptr)) on_stopped();
}

}  // namespace muster::agent
