#include "tests/simulation/network.h"

#include <algorithm>
#include <utility>

namespace muster::simulation {

StreamId Network::Open(int machine, AgentEnd end) {
  const StreamId id = ++last_id_;
  Stream& stream = streams_[id];
  stream.machine = machine;
  stream.agent = std::move(end);
  At(Arrival(stream.up_free_ms), [this, id, machine] {
    Stream& opened = streams_.at(id);
    if (opened.coordinator_listens && now_ms() <= opened.up_dead_ms) coordinator_.on_opened(id, machine);
  });
  return id;
}

int64_t Network::Arrival(int64_t& free_ms) {
  const int64_t latency_ms = random_.OneIn(20) ? random_.Between(0, 500) : random_.Between(0, 5);
  return free_ms = std::max(free_ms, now_ms() + latency_ms);
}

void Network::SendUp(StreamId id, v1::AgentMessage message) {
  Stream& stream = streams_.at(id);
  if (stream.cut) return;
  if (unruly_ && message.has_events() && random_.OneIn(30)) return;
  const bool twice = unruly_ && !message.has_hello() && random_.OneIn(20);
  const auto shared = std::make_shared<const v1::AgentMessage>(std::move(message));
  for (int i = 0; i < 1 + twice; ++i) {
    At(Arrival(stream.up_free_ms), [this, id, shared] { DeliverUp(id, *shared); });
  }
}

void Network::DeliverUp(StreamId id, const v1::AgentMessage& message) {
  const Stream& stream = streams_.at(id);
  if (stream.coordinator_listens && now_ms() <= stream.up_dead_ms) coordinator_.on_message(id, message);
}

void Network::SendDown(StreamId id, v1::CoordinatorMessage message) {
  const auto found = streams_.find(id);
  if (found == streams_.end() || found->second.cut) return;
  if (unruly_ && message.has_acks() && random_.OneIn(30)) return;
  const bool twice = unruly_ && random_.OneIn(20);
  const auto shared = std::make_shared<const v1::CoordinatorMessage>(std::move(message));
  for (int i = 0; i < 1 + twice; ++i) {
    At(Arrival(found->second.down_free_ms), [this, id, shared] { DeliverDown(id, *shared); });
  }
}

void Network::DeliverDown(StreamId id, const v1::CoordinatorMessage& message) {
  const Stream& stream = streams_.at(id);
  if (stream.agent_listens && now_ms() <= stream.down_dead_ms) stream.agent.on_message(message);
}

void Network::Cut(StreamId id) {
  Stream& stream = streams_.at(id);
  if (stream.cut) return;
  stream.cut = true;
  // What is in the ends' buffers may still be read.
  stream.up_dead_ms = now_ms() + random_.Between(0, 300);
  stream.down_dead_ms = now_ms() + random_.Between(0, 300);
  At(stream.down_dead_ms + random_.Between(0, 2'000), [this, id] {
    Stream& closed = streams_.at(id);
    if (std::exchange(closed.agent_listens, false)) closed.agent.on_closed();
  });
  At(stream.up_dead_ms + random_.Between(0, random_.OneIn(4) ? 20'000 : 500), [this, id] {
    if (std::exchange(streams_.at(id).coordinator_listens, false)) coordinator_.on_closed(id);
  });
}

void Network::LeaveAgent(StreamId id) {
  Cut(id);
  streams_.at(id).agent_listens = false;
}

void Network::LeaveCoordinator(StreamId id) {
  Cut(id);
  streams_.at(id).coordinator_listens = false;
}

void Network::LeaveCoordinatorAll() {
  for (auto& [id, stream] : streams_) {
    if (stream.coordinator_listens) LeaveCoordinator(id);
  }
}

std::vector<StreamId> Network::Whole() const {
  std::vector<StreamId> ids;
  for (const auto& [id, stream] : streams_) {
    if (!stream.cut) ids.push_back(id);
  }
  return ids;
}

}  // namespace muster::simulation
