#include "coordinator/api/agent_session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/names.h"

namespace muster::coordinator {
namespace {

grpc::StatusCode StatusCodeOf(v1::Refusal::Code code) {
  switch (code) {
    case v1::Refusal::PROTOCOL_VERSION:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case v1::Refusal::NAME_MISMATCH:
      return grpc::StatusCode::PERMISSION_DENIED;
    case v1::Refusal::MALFORMED:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case v1::Refusal::REPLACED:
      return grpc::StatusCode::ABORTED;
    case v1::Refusal::SHUTTING_DOWN:
      return grpc::StatusCode::UNAVAILABLE;
    case v1::Refusal::TOO_LARGE:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    default:
      return grpc::StatusCode::UNKNOWN;
  }
}

}  // namespace

std::shared_ptr<AgentSession> AgentSession::Start(grpc::CallbackServerContext& context, std::string machine,
                                                  SessionHost& host, IngestBudget& budget) {
  std::shared_ptr<AgentSession> session(new AgentSession(context, std::move(machine), host, budget));
  session->self_ = session;
  base::MutexLock lock(session->mutex_);
  session->reading_ = true;
  session->StartRead(&session->incoming_);  // gRPC keeps it until the method's handler has returned.
  return session;
}

void AgentSession::Send(v1::CoordinatorMessage message) {
  const size_t bytes = message.ByteSizeLong();
  {
    base::MutexLock lock(mutex_);
    if (closing_) return;
    if (outbox_.empty() || outbox_bytes_ + bytes <= kMaxOutboxBytes) {
      outbox_bytes_ += bytes;
      outbox_.push_back(std::move(message));
      MaybeWrite();
      return;
    }
    closing_ = true;
    status_ = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "the agent does not read what is sent to it");
  }
  // The write under way may never end: nothing but cancelling brings this stream to its end. The agent connects again.
  context_.TryCancel();
}

void AgentSession::Refuse(v1::Refusal::Code code, const std::string& why) {
  v1::CoordinatorMessage message;
  message.mutable_refusal()->set_code(code);
  message.mutable_refusal()->set_message(why);
  Send(std::move(message));
  Close(grpc::Status(StatusCodeOf(code), why));
}

void AgentSession::Close(const grpc::Status& status) {
  base::MutexLock lock(mutex_);
  if (closing_) return;
  closing_ = true;
  status_ = status;
  MaybeWrite();
}

void AgentSession::Settled(size_t bytes) {
  {
    base::MutexLock lock(mutex_);
    unsettled_bytes_ -= bytes;
    MaybeRead();
  }
  budget_.Give(bytes);
}

void AgentSession::EndGreeting() {
  {
    base::MutexLock lock(mutex_);
    if (greeted_) return;
  }
  Refuse(v1::Refusal::MALFORMED, "no Hello came in time; it must be the first message, within 10 s");
}

void AgentSession::OnReadDone(bool ok) {
  if (!ok) {
    Close(grpc::Status::OK);
    return;
  }
  v1::AgentMessage message = std::exchange(incoming_, {});
  if (const absl::Status order = CheckOrder(message); !order.ok()) {
    Refuse(v1::Refusal::MALFORMED, std::string(order.message()));
    return;
  }
  const size_t bytes = message.ByteSizeLong();
  budget_.Take(bytes);
  {
    base::MutexLock lock(mutex_);
    unsettled_bytes_ += bytes;
  }
  host_.OnMessage(self_, std::move(message), bytes);
  Resume();
}

absl::Status AgentSession::CheckOrder(const v1::AgentMessage& message) {
  base::MutexLock lock(mutex_);
  reading_ = false;
  const bool first = !std::exchange(greeted_, true);
  if (first && !message.has_hello()) {
    return absl::InvalidArgumentError("the first message is not a Hello; send Hello, then AgentState");
  }
  if (!first && message.has_hello()) {
    return absl::InvalidArgumentError("a second Hello; a session has one, as its first message");
  }
  if (first && machine_.empty()) machine_ = message.hello().machine().name();
  return absl::OkStatus();
}

void AgentSession::Resume() {
  base::MutexLock lock(mutex_);
  MaybeRead();
}

void AgentSession::MaybeRead() {
  if (reading_ || closing_ || waits_for_budget_ || unsettled_bytes_ >= kWindowBytes) return;
  waits_for_budget_ = true;
  if (!budget_.HasRoom([self = self_] {
        {
          base::MutexLock lock(self->mutex_);
          self->waits_for_budget_ = false;
        }
        self->Resume();
      })) {
    return;
  }
  waits_for_budget_ = false;
  reading_ = true;
  StartRead(&incoming_);
}

void AgentSession::OnWriteDone(bool ok) {
  base::MutexLock lock(mutex_);
  writing_ = false;
  outbox_bytes_ -= outbox_.front().ByteSizeLong();
  outbox_.pop_front();
  if (!ok) {
    outbox_.clear();
    closing_ = true;
  }
  MaybeWrite();
}

void AgentSession::OnCancel() {
  base::MutexLock lock(mutex_);
  if (!writing_) outbox_.clear();
  if (!closing_) status_ = grpc::Status::CANCELLED;
  closing_ = true;
  MaybeWrite();
}

void AgentSession::OnDone() {
  std::shared_ptr<AgentSession> self;
  {
    base::MutexLock lock(mutex_);
    self = std::move(self_);
  }
  host_.OnGone(self);
}

void AgentSession::MaybeWrite() {
  if (writing_ || finished_) return;
  if (!outbox_.empty()) {
    writing_ = true;
    StartWrite(&outbox_.front());
  } else if (closing_) {
    finished_ = true;
    Finish(status_);
  }
}

}  // namespace muster::coordinator
