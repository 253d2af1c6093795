#include "agent/link/session_client.h"

#include <utility>

namespace muster::agent {

std::shared_ptr<SessionClient> SessionClient::Start(v1::AgentService::Stub& stub, Events events) {
  std::shared_ptr<SessionClient> session(new SessionClient(std::move(events)));
  session->self_ = session;
  stub.async()->Session(&session->context_, session.get());
  session->StartRead(&session->incoming_);
  session->AddHold();
  session->StartCall();
  return session;
}

void SessionClient::Send(v1::AgentMessage message) {
  base::MutexLock lock(mutex_);
  if (closing_) return;
  queue_.push_back(std::move(message));
  MaybeWrite();
}

void SessionClient::Close() {
  base::MutexLock lock(mutex_);
  closing_ = true;
  MaybeWrite();
}

void SessionClient::Abort() {
  context_.TryCancel();
  Close();
}

void SessionClient::OnReadDone(bool ok) {
  if (!ok) {
    Close();
    return;
  }
  events_.on_message(std::exchange(incoming_, {}));
  StartRead(&incoming_);
}

void SessionClient::OnWriteDone(bool ok) {
  base::MutexLock lock(mutex_);
  writing_ = false;
  queue_.pop_front();
  if (!ok) {
    queue_.clear();
    closing_ = true;
  }
  MaybeWrite();
}

void SessionClient::OnDone(const grpc::Status& status) {
  // The members may be gone before the call returns.
  const auto on_done = std::move(events_.on_done);
  on_done(status, std::move(self_));
}

void SessionClient::MaybeWrite() {
  if (writing_ || released_) return;
  if (!queue_.empty()) {
    writing_ = true;
    StartWrite(&queue_.front());
  } else if (closing_) {
    released_ = true;
    StartWritesDone();
    RemoveHold();
  }
}

}  // namespace muster::agent
