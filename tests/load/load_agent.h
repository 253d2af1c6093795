// An agent without a machine: speaks the session's protocol and reports made-up measurements, as fast as acks allow.
//
// Used by muster-load alone. Callbacks run on gRPC's threads; the owner polls the atomics.
#ifndef MUSTER_TESTS_LOAD_LOAD_AGENT_H_
#define MUSTER_TESTS_LOAD_LOAD_AGENT_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "muster/v1/agent_service.grpc.pb.h"

namespace muster::load {

struct LoadAgentOptions {
  std::string name;
  // Measurements to report for each job, and how many of them make one batch.
  uint32_t measurements = 0;
  uint32_t batch_size = 1'000;
  // Events in flight before it waits for an ack.
  uint64_t window = 16'000;
};

class LoadAgent final : public grpc::ClientBidiReactor<v1::AgentMessage, v1::CoordinatorMessage> {
 public:
  LoadAgent(std::shared_ptr<grpc::Channel> channel, LoadAgentOptions options);
  ~LoadAgent() override;

  void Connect();
  // Ends the stream and waits until it has ended.
  void Disconnect();

  bool welcomed() const { return welcomed_; }
  uint64_t acked_events() const { return acked_events_; }
  uint64_t jobs_done() const { return jobs_done_; }
  // Empty while all is well; the stream's error after it ended.
  std::string error() const;

 private:
  struct Report {
    v1::JobRef ref;
    std::string case_name;
    uint64_t next = 1;   // Sequence number to send.
    uint64_t acked = 0;  // The last that is stored.
    uint64_t last = 0;   // The JobFinished's.
  };

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void OnDirective(const v1::Directive& directive) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnAck(const v1::Ack& ack) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MaybeWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool FillBatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FillEvent(uint64_t sequence, const Report& report, v1::Event& event) const;
  void QueueState() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const LoadAgentOptions options_;
  std::unique_ptr<v1::AgentService::Stub> stub_;
  grpc::ClientContext context_;
  v1::CoordinatorMessage in_;

  mutable base::Mutex mutex_;
  base::CondVar done_changed_;
  std::deque<v1::AgentMessage> out_ ABSL_GUARDED_BY(mutex_);
  std::deque<Report> reports_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = true;
  std::string error_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> welcomed_ = false;
  std::atomic<uint64_t> acked_events_ = 0;
  std::atomic<uint64_t> jobs_done_ = 0;
};

}  // namespace muster::load

#endif  // MUSTER_TESTS_LOAD_LOAD_AGENT_H_
