// AgentService: enrolment, and the agents' sessions with the core.
//
// gRPC calls in on its own threads; the table of sessions belongs to the core's loop. Outlives the server it is
// registered with.
#ifndef MUSTER_COORDINATOR_API_AGENT_SERVICE_H_
#define MUSTER_COORDINATOR_API_AGENT_SERVICE_H_

#include <map>
#include <memory>
#include <string>

#include "coordinator/api/agent_session.h"
#include "coordinator/api/authorizer.h"
#include "coordinator/api/enrollment.h"
#include "coordinator/daemon/core_runner.h"
#include "coordinator/daemon/ingest_budget.h"
#include "coordinator/metrics/metrics.h"
#include "muster/v1/agent_service.grpc.pb.h"

namespace muster::coordinator {

class AgentService final : public v1::AgentService::CallbackService, private SessionHost {
 public:
  // Bytes of agents' messages that are not yet durable, all streams together.
  static constexpr size_t kBudgetBytes = 64 << 20;
  static constexpr int64_t kGreetingMs = 10'000;

  // All outlive the service.
  AgentService(CoreRunner& runner, const Authorizer& authorizer, const Enrollment& enrollment, Metrics& metrics);

  grpc::ServerUnaryReactor* Enroll(grpc::CallbackServerContext* context, const v1::EnrollRequest* request,
                                   v1::EnrollResponse* response) override;
  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context, const v1::RenewRequest* request,
                                  v1::EnrollResponse* response) override;
  grpc::ServerBidiReactor<v1::AgentMessage, v1::CoordinatorMessage>* Session(
      grpc::CallbackServerContext* context) override;

  // On the loop: what the core says to an agent.
  void Deliver(Effects::Message message);
  // Any thread: tells every agent that the coordinator ends, and takes no further session.
  void ShutDown();

 private:
  void OnMessage(const std::shared_ptr<AgentSession>& session, v1::AgentMessage message, size_t bytes) override;
  void OnGone(const std::shared_ptr<AgentSession>& session) override;

  // On the loop.
  void Take(const std::shared_ptr<AgentSession>& session, v1::AgentMessage& message, Core& core, base::Time now);

  CoreRunner& runner_;
  const Authorizer& authorizer_;
  const Enrollment& enrollment_;
  Metrics& metrics_;
  IngestBudget budget_{kBudgetBytes};

  // Of the loop.
  std::map<SessionId, std::shared_ptr<AgentSession>> sessions_;  // From their Hello on.
  SessionId last_id_ = 0;
  bool shutting_down_ = false;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_API_AGENT_SERVICE_H_
