#include "coordinator/core/outgoing.h"

#include <string>
#include <utility>

namespace muster::coordinator {

void Outgoing::Send(SessionId session, v1::CoordinatorMessage message) {
  pending_[session].messages.push_back(std::move(message));
}

void Outgoing::Refuse(SessionId session, v1::Refusal::Code code, std::string_view why) {
  Forget(session);
  Pending& pending = pending_[session];
  pending.close = true;
  v1::Refusal& refusal = *pending.messages.emplace_back().mutable_refusal();
  refusal.set_code(code);
  refusal.set_message(std::string(why));
}

void Outgoing::Run(SessionId session, AttemptRecord& attempt, int64_t lease_remaining_ms) {
  v1::Directive& directive = *pending_[session].directives.mutable_directives()->add_directives();
  *directive.mutable_ref() = attempt.attempt.ref();
  directive.set_action(v1::Directive::RUN);
  *directive.mutable_spec() = attempt.job->job.spec();
  directive.set_lease_remaining_ms(lease_remaining_ms);
  attempt.run_sent_in = session;
}

void Outgoing::Direct(SessionId session, v1::Directive::Action action, const AttemptRecord& attempt,
                      std::string_view reason) {
  v1::Directive& directive = *pending_[session].directives.mutable_directives()->add_directives();
  *directive.mutable_ref() = attempt.attempt.ref();
  directive.set_action(action);
  directive.set_reason(std::string(reason));
}

void Outgoing::Ack(SessionId session, AttemptRecord& attempt) {
  if (std::exchange(attempt.ack_due, true)) return;
  pending_[session].acks.push_back(&attempt);
}

void Outgoing::Forget(SessionId session) {
  const auto it = pending_.find(session);
  if (it == pending_.end()) return;
  for (AttemptRecord* attempt : it->second.acks) attempt->ack_due = false;
  pending_.erase(it);
}

std::vector<Effects::Message> Outgoing::Take() {
  std::vector<Effects::Message> out;
  for (auto& [session, pending] : pending_) {
    for (v1::CoordinatorMessage& message : pending.messages) {
      out.push_back({.session = session, .message = std::move(message), .then_close = pending.close});
    }
    if (!pending.acks.empty()) {
      v1::Acks& acks = *out.emplace_back(Effects::Message{.session = session}).message.mutable_acks();
      for (AttemptRecord* attempt : pending.acks) {
        attempt->ack_due = false;
        v1::Ack& ack = *acks.add_acks();
        *ack.mutable_ref() = attempt->attempt.ref();
        ack.set_through_sequence(attempt->attempt.through_sequence());
      }
    }
    if (pending.directives.has_directives()) {
      out.push_back({.session = session, .message = std::move(pending.directives)});
    }
  }
  pending_.clear();
  return out;
}

}  // namespace muster::coordinator
