// From a job's thread to the event loop: events in order, in batches, and never more than a bounded amount under way. A
// loop that is slow thus holds up the program under test (through its pipe) and not the agent's memory.
//
// Used by one thread (the job's) but for the deliveries, which run on the loop.
#ifndef MUSTER_AGENT_EXECUTOR_EVENT_STREAM_H_
#define MUSTER_AGENT_EXECUTOR_EVENT_STREAM_H_

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/event_loop.h"
#include "muster/v1/event.pb.h"

namespace muster::agent {

class EventStream {
 public:
  using Deliver = std::function<void(v1::Event event)>;
  // `deliver` runs on the loop. `wake` runs on the loop whenever there is room again; it must not block.
  EventStream(base::EventLoop* loop, Deliver deliver, std::function<void()> wake)
      : loop_(*loop), shared_(std::make_shared<Shared>(std::move(deliver), std::move(wake))) {}

  void Push(v1::Event event) {
    waiting_bytes_ += event.ByteSizeLong() + sizeof(v1::Event);
    waiting_.push_back(std::move(event));
    if (waiting_bytes_ >= kBatchBytes) Flush();
  }
  void Flush() {
    if (waiting_.empty()) return;
    shared_->under_way_bytes += waiting_bytes_;
    loop_.Post([shared = shared_, events = std::make_shared<std::vector<v1::Event>>(std::move(waiting_)),
                bytes = waiting_bytes_] {
      for (v1::Event& event : *events) shared->deliver(std::move(event));
      shared->under_way_bytes -= bytes;
      shared->wake();
    });
    waiting_ = {};
    waiting_bytes_ = 0;
  }
  bool HasRoom() const { return shared_->under_way_bytes < kMaxUnderWayBytes; }

 private:
  static constexpr size_t kBatchBytes = 256 * 1024;
  static constexpr size_t kMaxUnderWayBytes = 4 * 1024 * 1024;
  struct Shared {
    Shared(Deliver d, std::function<void()> w) : deliver(std::move(d)), wake(std::move(w)) {}
    const Deliver deliver;
    const std::function<void()> wake;
    std::atomic<size_t> under_way_bytes = 0;
  };

  base::EventLoop& loop_;
  const std::shared_ptr<Shared> shared_;
  std::vector<v1::Event> waiting_;
  size_t waiting_bytes_ = 0;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_EVENT_STREAM_H_
