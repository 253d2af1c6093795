// The streams between agents and coordinator, with what networks do to them.
//
// Within one stream messages keep their order; with a stream that is cut a part of what was under way is lost, and the
// rest arrives late, possibly after a newer stream of the same agent was opened. Each end learns of the cut in its own
// time.
#ifndef MUSTER_TESTS_SIMULATION_NETWORK_H_
#define MUSTER_TESTS_SIMULATION_NETWORK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/event_loop_fake.h"
#include "muster/v1/agent_service.pb.h"
#include "tests/simulation/random.h"

namespace muster::simulation {

using StreamId = uint64_t;

class Network {
 public:
  // What an end does with what comes.
  struct AgentEnd {
    std::function<void(const v1::CoordinatorMessage&)> on_message;
    std::function<void()> on_closed;
  };
  struct CoordinatorEnd {
    std::function<void(StreamId, int machine)> on_opened;
    std::function<void(StreamId, const v1::AgentMessage&)> on_message;
    std::function<void(StreamId)> on_closed;
  };

  Network(base::FakeEventLoop& loop, Random& random) : loop_(loop), random_(random) {}

  void SetCoordinator(CoordinatorEnd end) { coordinator_ = std::move(end); }
  StreamId Open(int machine, AgentEnd end);
  void SendUp(StreamId id, v1::AgentMessage message);
  void SendDown(StreamId id, v1::CoordinatorMessage message);
  // The line breaks. Both ends learn of it, sooner or later.
  void Cut(StreamId id);
  // One end is gone: it hears nothing more, the other learns of it.
  void LeaveAgent(StreamId id);
  void LeaveCoordinator(StreamId id);
  void LeaveCoordinatorAll();
  // Streams that are not cut.
  std::vector<StreamId> Whole() const;

  void SetUp(int machine, bool up) { down_[machine] = !up; }
  bool IsUp(int machine) const {
    const auto found = down_.find(machine);
    return found == down_.end() || !found->second;
  }
  // Whether anyone accepts streams.
  void SetListening(bool listening) { listening_ = listening; }
  bool CanConnect(int machine) const { return listening_ && IsUp(machine); }
  // Whether messages come twice in a row, and events and acks not at all: worse than streams are.
  void SetUnruly(bool on) { unruly_ = on; }

 private:
  struct Stream {
    int machine = 0;
    AgentEnd agent;
    bool agent_listens = true;
    bool coordinator_listens = true;
    bool cut = false;
    int64_t up_free_ms = 0;  // When the last message that was sent arrives.
    int64_t down_free_ms = 0;
    int64_t up_dead_ms = INT64_MAX;  // What arrives later is lost.
    int64_t down_dead_ms = INT64_MAX;
  };
  int64_t now_ms() const { return loop_.Now().mono_ms; }
  int64_t Arrival(int64_t& free_ms);
  void At(int64_t time_ms, std::function<void()> task) { loop_.RunAfter(time_ms - now_ms(), std::move(task)); }
  void DeliverUp(StreamId id, const v1::AgentMessage& message);
  void DeliverDown(StreamId id, const v1::CoordinatorMessage& message);

  base::FakeEventLoop& loop_;
  Random& random_;
  CoordinatorEnd coordinator_;
  std::map<StreamId, Stream> streams_;
  std::map<int, bool> down_;
  StreamId last_id_ = 0;
  bool unruly_ = false;
  bool listening_ = false;
};

}  // namespace muster::simulation

#endif  // MUSTER_TESTS_SIMULATION_NETWORK_H_
