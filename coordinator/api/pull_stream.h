// A server stream that is pulled from: one message after the other, made by a worker when the client has taken the one
// before.
//
// So a client that reads slowly costs one message of memory, and one that is gone costs nothing. The stream begins with
// Begin(), which may come from any thread after the method's handler has returned.
#ifndef MUSTER_COORDINATOR_API_PULL_STREAM_H_
#define MUSTER_COORDINATOR_API_PULL_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "base/event_loop.h"
#include "base/mutex.h"
#include "coordinator/api/grpc_status.h"
#include "coordinator/daemon/worker_pool.h"

namespace muster::coordinator {

enum class Pull {
  kMessage,  // Send it, then ask again.
  kLater,    // Nothing yet: ask again in a moment.
  kEnd,
};

template <typename Response>
class PullStream final : public grpc::ServerWriteReactor<Response> {
 public:
  // Fills an empty message. Runs on a worker, never twice at once.
  using Next = std::function<absl::StatusOr<Pull>(Response& message)>;

  static constexpr int64_t kLaterMs = 200;

  // Deletes itself when it is done. Both outlive the server.
  PullStream(WorkerPool& workers, base::EventLoop& loop) : workers_(workers), loop_(loop) {}

  // Exactly one of the two, once.
  void Begin(Next next) {
    next_ = std::move(next);
    Ask();
  }
  void Fail(const absl::Status& status) { this->Finish(ToGrpc(status)); }

 private:
  void Ask() {
    workers_.Post([this] { Step(); });
  }

  void Step() {
    if (Cancelled()) {
      this->Finish(grpc::Status::CANCELLED);
      return;
    }
    message_.Clear();
    const absl::StatusOr<Pull> pull = next_(message_);
    if (!pull.ok()) {
      this->Finish(ToGrpc(pull.status()));
    } else if (*pull == Pull::kMessage) {
      this->StartWrite(&message_);
    } else if (*pull == Pull::kLater) {
      loop_.RunAfter(kLaterMs, [this] { Ask(); });
    } else {
      this->Finish(grpc::Status::OK);
    }
  }

  void OnWriteDone(bool ok) override {
    if (ok) {
      Ask();
    } else {
      this->Finish(grpc::Status::CANCELLED);
    }
  }
  void OnCancel() override {
    base::MutexLock lock(mutex_);
    cancelled_ = true;
  }
  void OnDone() override { delete this; }

  bool Cancelled() {
    base::MutexLock lock(mutex_);
    return cancelled_;
  }

  WorkerPool& workers_;
  base::EventLoop& loop_;
  Next next_;
  Response message_;

  base::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_PULL_STREAM_H_
