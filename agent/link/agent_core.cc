#include "agent/link/agent_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"

namespace muster::agent {
namespace {

constexpr size_t kMaxForgotten = 4'096;
constexpr int64_t kRoomCheckMs = 1'000;
constexpr uint32_t kProtocolVersion = 1;

std::string Name(const v1::JobRef& ref) { return absl::StrCat(ref.job_id(), " attempt ", ref.attempt()); }

bool Overlap(const std::set<std::string>& a, const std::set<std::string>& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& device) { return b.contains(device); });
}

}  // namespace

AgentCore::AgentCore(const AgentCoreOptions& options, Outbox& outbox, JobExecutor& executor, MessageSink& sink,
                     base::Time now)
    : options_(options),
      outbox_(outbox),
      executor_(executor),
      sink_(sink),
      heartbeat_interval_ms_(options.heartbeat_interval_ms) {
  for (const Outbox::State& state : outbox_.Attempts()) {
    Held& held = held_[state.ref];
    Rewind(held, state.acked_sequence);
    if (state.finished) {
      held.phase = v1::HeldAttempt::FINISHED;
    } else {
      base::LogWarning(Name(state.ref), " was not finished when the agent stopped; it ends as AGENT_RESTARTED");
      Finish(state.ref, held, v1::FATE_AGENT_RESTARTED, "the agent or its machine was restarted before the job's end",
             now);
    }
  }
}

void AgentCore::Connected(v1::Hello hello, base::Time now) {
  connected_ = true;
  welcome_ = false;
  for (auto& [ref, held] : held_) {
    const std::optional<Outbox::State> state = outbox_.Find(ref);
    Rewind(held, state ? state->acked_sequence : 0);
    held.heard = false;
    held.resend_after_ms = options_.resend_after_ms;
  }
  v1::AgentMessage message;
  *message.mutable_hello() = std::move(hello);
  message.mutable_hello()->set_protocol_version(kProtocolVersion);
  sink_.Send(std::move(message));
  SendState(now);
  SendHealth(now);
}

void AgentCore::Disconnected() {
  connected_ = false;
  welcome_ = false;
  for (auto& [ref, held] : held_) Rewind(held, held.acked_sequence);
}

void AgentCore::OnMessage(const v1::CoordinatorMessage& message, base::Time now) {
  if (!connected_) return;
  switch (message.message_case()) {
    case v1::CoordinatorMessage::kWelcome:
      welcome_ = true;
      if (message.welcome().heartbeat_interval_ms() > 0) {
        heartbeat_interval_ms_ = std::clamp<int64_t>(message.welcome().heartbeat_interval_ms(), 100, 600'000);
        next_heartbeat_ms_ = std::min(next_heartbeat_ms_, now.mono_ms + heartbeat_interval_ms_);
      }
      break;
    case v1::CoordinatorMessage::kDirectives:
      for (const v1::Directive& directive : message.directives().directives()) OnDirective(directive, now);
      break;
    case v1::CoordinatorMessage::kAcks:
      for (const v1::Ack& ack : message.acks().acks()) OnAck(ack, now);
      break;
    default:
      break;  // A refusal is the session's affair; what a newer coordinator says besides is not for this agent.
  }
}

void AgentCore::OnDirective(const v1::Directive& directive, base::Time now) {
  const auto it = held_.find(directive.ref());
  switch (directive.action()) {
    case v1::Directive::RUN:
      if (it == held_.end()) OnRun(directive, now);
      break;
    case v1::Directive::CANCEL:
    case v1::Directive::SUPERSEDED:
      if (it != held_.end()) StopAttempt(it->first, it->second, directive.reason(), now);
      break;
    case v1::Directive::FORGET:
      if (it == held_.end()) break;
      if (it->second.phase == v1::HeldAttempt::FINISHED) {
        Forget(it);
      } else {
        it->second.forget_when_finished = true;
        StopAttempt(it->first, it->second, "the coordinator has this attempt's end already", now);
      }
      break;
    default:
      base::LogWarning(Name(directive.ref()), ": unknown directive ", static_cast<int>(directive.action()), " ignored");
  }
}

void AgentCore::OnRun(const v1::Directive& directive, base::Time now) {
  const v1::JobRef& ref = directive.ref();
  if (stopping_ || ref.job_id().empty() || forgotten_.contains(ref)) return;
  if (const absl::Status status = outbox_.Accept(ref, directive.spec()); !status.ok()) {
    // Not refused: as long as the lease lives the coordinator says RUN again, and then there may be room.
    base::LogWarning(Name(ref), " cannot be accepted now: ", status.message());
    return;
  }
  Held& held = held_[ref];
  held.spec = directive.spec();
  held.devices.insert(held.spec.device_ids().begin(), held.spec.device_ids().end());
  held.resend_after_ms = options_.resend_after_ms;
  state_changed_ = true;
  for (auto& [other_ref, other] : held_) {
    if (other_ref.epoch() >= ref.epoch()) continue;
    if (other_ref.job_id() != ref.job_id() && !Overlap(other.devices, held.devices)) continue;
    StopAttempt(other_ref, other, absl::StrCat("superseded by ", Name(ref)), now);
  }
}

void AgentCore::StopAttempt(const v1::JobRef& ref, Held& held, std::string_view reason, base::Time now) {
  if (held.stopping || held.phase == v1::HeldAttempt::FINISHED) return;
  held.stopping = true;
  if (held.phase == v1::HeldAttempt::RUNNING) {
    executor_.Cancel(ref, reason);
  } else {
    Finish(ref, held, stopping_ ? v1::FATE_AGENT_RESTARTED : v1::FATE_CANCELLED, reason, now);
  }
}

void AgentCore::Forget(HeldMap::iterator it) {
  outbox_.Forget(it->first);
  Rewind(it->second, 0);
  if (forgotten_.insert(it->first).second) forgotten_order_.push_back(it->first);
  if (forgotten_order_.size() > kMaxForgotten) {
    forgotten_.erase(forgotten_order_.front());
    forgotten_order_.pop_front();
  }
  held_.erase(it);
}

void AgentCore::OnAck(const v1::Ack& ack, base::Time now) {
  const auto it = held_.find(ack.ref());
  const std::optional<Outbox::State> state = outbox_.Find(ack.ref());
  if (it == held_.end() || !state) return;
  Held& held = it->second;
  const uint64_t through = std::min(ack.through_sequence(), state->durable_sequence);
  held.heard = true;
  if (through < held.acked_sequence) {
    base::LogWarning(Name(ack.ref()), ": the coordinator had events up to ", held.acked_sequence, " and now has ",
                     through, "; what is no longer here is sent as dropped");
    Rewind(held, through);
    return;
  }
  outbox_.Ack(ack.ref(), through);
  while (!held.in_flight.empty() && held.in_flight.front().last_sequence <= through) {
    window_used_ -= held.in_flight.front().bytes;
    held.in_flight.pop_front();
  }
  if (through > held.acked_sequence) {
    held.acked_sequence = through;
    held.next_to_send = std::max(held.next_to_send, through + 1);
    held.resend_after_ms = options_.resend_after_ms;
    held.resend_at_ms = now.mono_ms + held.resend_after_ms;
  }
  if (held.in_flight.empty()) held.resend_at_ms = INT64_MAX;
}

void AgentCore::OnJobEvent(const v1::JobRef& ref, v1::Event event) {
  const auto it = held_.find(ref);
  if (it == held_.end() || it->second.phase != v1::HeldAttempt::RUNNING) return;
  const bool finished = event.has_job_finished();
  if (finished && stopping_) {
    event.mutable_job_finished()->set_fate(v1::FATE_AGENT_RESTARTED);
    event.mutable_job_finished()->set_detail(stop_reason_);
  }
  if (event.has_case_finished() && watch_ != nullptr) {
    watch_->Annotate(it->second.devices, event.time_unix_ms(), *event.mutable_case_finished());
  }
  outbox_.Append(ref, std::move(event));
  if (!finished) return;
  it->second.phase = v1::HeldAttempt::FINISHED;
  if (it->second.forget_when_finished) Forget(it);
}

void AgentCore::Finish(const v1::JobRef& ref, Held& held, v1::Fate fate, std::string_view detail, base::Time now) {
  v1::Event event;
  event.set_time_unix_ms(now.unix_ms);
  event.mutable_job_finished()->set_fate(fate);
  event.mutable_job_finished()->set_detail(std::string(detail));
  outbox_.Append(ref, std::move(event));
  held.phase = v1::HeldAttempt::FINISHED;
  held.spec.Clear();
}

void AgentCore::SetHealth(v1::HealthReport report) {
  health_ = std::move(report);
  health_changed_ = true;
}

int AgentCore::running_jobs() const {
  return static_cast<int>(std::count_if(
      held_.begin(), held_.end(), [](const auto& entry) { return entry.second.phase == v1::HeldAttempt::RUNNING; }));
}

void AgentCore::Stop(std::string_view reason, base::Time now) {
  if (stopping_) return;
  stopping_ = true;
  stop_reason_ = std::string(reason);
  for (auto& [ref, held] : held_) StopAttempt(ref, held, reason, now);
}

bool AgentCore::stopped() const {
  if (!stopping_ || syncing_) return false;
  return std::all_of(held_.begin(), held_.end(), [&](const auto& entry) {
    const std::optional<Outbox::State> state = outbox_.Find(entry.first);
    return !state || state->finish_durable;
  });
}

void AgentCore::Tick(base::Time now) {
  StartWaiting(now);
  if (!outbox_.waits_for_room()) {
    next_room_check_ms_ = INT64_MAX;
  } else if (next_room_check_ms_ == INT64_MAX || now.mono_ms >= next_room_check_ms_) {
    next_room_check_ms_ = now.mono_ms + kRoomCheckMs;
  }
  if (!connected_) return;
  const bool heartbeat = now.mono_ms >= next_heartbeat_ms_;
  if (state_changed_ || heartbeat) SendState(now);
  if (health_changed_ && now.mono_ms >= next_health_ms_) SendHealth(now);
  if (!welcome_) return;
  if (heartbeat) SendTelemetry();
  ResendSilent(now);
  SendEvents(now);
}

int64_t AgentCore::NextDeadlineMonoMs() const {
  int64_t next_ms = next_room_check_ms_;
  if (!connected_) return next_ms;
  next_ms = std::min(next_ms, next_heartbeat_ms_);
  if (health_changed_) next_ms = std::min(next_ms, next_health_ms_);
  for (const auto& [ref, held] : held_) next_ms = std::min(next_ms, held.resend_at_ms);
  return next_ms;
}

void AgentCore::StartWaiting(base::Time now) {
  if (stopping_) return;
  for (auto& [ref, held] : held_) {
    if (held.phase != v1::HeldAttempt::ACCEPTED || MustWait(ref, held)) continue;
    held.phase = v1::HeldAttempt::RUNNING;
    state_changed_ = true;
    const v1::JobSpec spec = std::exchange(held.spec, {});
    const absl::Status status = executor_.Start(ref, spec);
    if (status.ok()) continue;
    const bool refused = absl::IsInvalidArgument(status) || absl::IsNotFound(status);
    base::LogWarning(Name(ref), " was not started: ", status.message());
    Finish(ref, held, refused ? v1::FATE_REFUSED : v1::FATE_NOT_STARTED, std::string(status.message()), now);
  }
}

// Whether its job, or one of its devices, is another attempt's: of one that runs, or of an older one that waits, too.
bool AgentCore::MustWait(const v1::JobRef& ref, const Held& held) const {
  return std::any_of(held_.begin(), held_.end(), [&](const auto& entry) {
    const auto& [other_ref, other] = entry;
    if (&other == &held || other.phase == v1::HeldAttempt::FINISHED) return false;
    if (other.phase == v1::HeldAttempt::ACCEPTED && other_ref.epoch() >= ref.epoch()) return false;
    return other_ref.job_id() == ref.job_id() || Overlap(other.devices, held.devices);
  });
}

std::optional<SyncJob> AgentCore::BeginSync() {
  if (syncing_) return std::nullopt;
  std::optional<SyncJob> job = outbox_.BeginSync();
  syncing_ = job.has_value();
  return job;
}

void AgentCore::EndSync(const SyncJob& job) {
  syncing_ = false;
  outbox_.EndSync(job);
  for (auto& [ref, held] : held_) {
    if (held.phase != v1::HeldAttempt::FINISHED || held.finish_told) continue;
    const std::optional<Outbox::State> state = outbox_.Find(ref);
    if (!state || !state->finish_durable) continue;
    held.finish_told = true;
    state_changed_ = true;
  }
}

void AgentCore::SendState(base::Time now) {
  v1::AgentMessage message;
  v1::AgentState& state = *message.mutable_state();
  for (const auto& [ref, held] : held_) {
    const std::optional<Outbox::State> stored = outbox_.Find(ref);
    if (!stored) continue;
    v1::HeldAttempt& attempt = *state.add_attempts();
    *attempt.mutable_ref() = ref;
    const bool ends = held.phase == v1::HeldAttempt::FINISHED && !stored->finish_durable;
    attempt.set_phase(ends ? v1::HeldAttempt::RUNNING : held.phase);
    attempt.set_last_sequence(stored->durable_sequence);
    attempt.set_acked_sequence(stored->acked_sequence);
  }
  state.set_outbox_bytes(outbox_.bytes());
  state.set_outbox_limit_bytes(outbox_.limit_bytes());
  sink_.Send(std::move(message));
  state_changed_ = false;
  next_heartbeat_ms_ = now.mono_ms + heartbeat_interval_ms_;
}

void AgentCore::SendHealth(base::Time now) {
  if (!health_) return;
  v1::AgentMessage message;
  *message.mutable_health() = *health_;
  sink_.Send(std::move(message));
  health_changed_ = false;
  next_health_ms_ = now.mono_ms + options_.health_interval_ms;
}

void AgentCore::SendTelemetry() {
  if (watch_ == nullptr) return;
  v1::AgentMessage message;
  *message.mutable_telemetry() = watch_->Telemetry();
  if (message.telemetry().samples_size() > 0) sink_.Send(std::move(message));
}

// An ack that does not come: a gap that the coordinator told of, or an attempt that it does not know (yet).
void AgentCore::ResendSilent(base::Time now) {
  for (auto& [ref, held] : held_) {
    if (now.mono_ms < held.resend_at_ms) continue;
    Rewind(held, held.acked_sequence);
    held.heard = false;
    held.resend_after_ms = std::min(2 * held.resend_after_ms, options_.max_resend_after_ms);
  }
}

// Round after round over the attempts, one batch each, until the window is full or nothing is left.
void AgentCore::SendEvents(base::Time now) {
  auto it = held_.lower_bound(next_sender_);
  for (size_t idle = 0; idle < held_.size() && window_used_ < options_.window_bytes;) {
    if (it == held_.end()) it = held_.begin();
    idle = SendBatch(it->first, it->second, now) ? 0 : idle + 1;
    ++it;
  }
  next_sender_ = it == held_.end() ? v1::JobRef() : it->first;
}

bool AgentCore::SendBatch(const v1::JobRef& ref, Held& held, base::Time now) {
  // Until the coordinator has shown that it knows the attempt, one batch at a time; after a silence, one event.
  if (!held.heard && !held.in_flight.empty()) return false;
  const bool after_silence = !held.heard && held.resend_after_ms > options_.resend_after_ms;
  absl::StatusOr<v1::EventBatch> batch =
      outbox_.Read(ref, held.next_to_send, options_.batch_bytes, after_silence ? 1 : options_.batch_events);
  if (!batch.ok() || batch->events().empty()) return false;
  held.next_to_send = batch->events(batch->events_size() - 1).sequence() + 1;
  held.in_flight.push_back({held.next_to_send - 1, batch->ByteSizeLong()});
  window_used_ += held.in_flight.back().bytes;
  if (held.resend_at_ms == INT64_MAX) held.resend_at_ms = now.mono_ms + held.resend_after_ms;
  v1::AgentMessage message;
  *message.mutable_events() = *std::move(batch);
  sink_.Send(std::move(message));
  return true;
}

// Takes back what is under way: sending goes on after `acked_sequence`.
void AgentCore::Rewind(Held& held, uint64_t acked_sequence) {
  for (const InFlight& batch : held.in_flight) window_used_ -= batch.bytes;
  held.in_flight.clear();
  held.acked_sequence = acked_sequence;
  held.next_to_send = acked_sequence + 1;
  held.resend_at_ms = INT64_MAX;
}

}  // namespace muster::agent
