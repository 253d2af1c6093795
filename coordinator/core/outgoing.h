// What is to be said to the agents, gathered until the batch that it rests on is durable.
//
// Directives and acks of one session go out as one message each, after the session's other messages.
#ifndef MUSTER_COORDINATOR_CORE_OUTGOING_H_
#define MUSTER_COORDINATOR_CORE_OUTGOING_H_

#include <map>
#include <string_view>
#include <vector>

#include "coordinator/core/core.h"
#include "coordinator/schedule/run_record.h"

namespace muster::coordinator {

class Outgoing {
 public:
  void Send(SessionId session, v1::CoordinatorMessage message);
  // Ends the stream; what else was to be said in it is dropped.
  void Refuse(SessionId session, v1::Refusal::Code code, std::string_view why);

  void Run(SessionId session, AttemptRecord& attempt, int64_t lease_remaining_ms);
  // CANCEL, SUPERSEDED or FORGET.
  void Direct(SessionId session, v1::Directive::Action action, const AttemptRecord& attempt, std::string_view reason);
  // The mark of the attempt as it is when the message is made; once, however often it is asked for.
  void Ack(SessionId session, AttemptRecord& attempt);

  // The session is over: what was to be said in it is dropped.
  void Forget(SessionId session);
  std::vector<Effects::Message> Take();

 private:
  struct Pending {
    std::vector<v1::CoordinatorMessage> messages;
    v1::CoordinatorMessage directives;
    std::vector<AttemptRecord*> acks;
    bool close = false;
  };
  std::map<SessionId, Pending> pending_;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_CORE_OUTGOING_H_
