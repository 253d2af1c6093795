#include "coordinator/api/agent_service.h"

#include <utility>

#include "base/log.h"
#include "base/names.h"
#include "coordinator/api/grpc_status.h"

namespace muster::coordinator {
namespace {

constexpr char kShutdown[] = "the coordinator is shutting down; connect again";

// A stream that is refused before it begins.
class RefusedSession final : public grpc::ServerBidiReactor<v1::AgentMessage, v1::CoordinatorMessage> {
 public:
  explicit RefusedSession(const absl::Status& why) { Finish(ToGrpc(why)); }
  void OnDone() override { delete this; }
};

}  // namespace

AgentService::AgentService(CoreRunner& runner, const Authorizer& authorizer, const Enrollment& enrollment,
                           Metrics& metrics)
    : runner_(runner), authorizer_(authorizer), enrollment_(enrollment), metrics_(metrics) {}

grpc::ServerUnaryReactor* AgentService::Enroll(grpc::CallbackServerContext* context, const v1::EnrollRequest* request,
                                               v1::EnrollResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (!runner_.store_works()) {
    reactor->Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the coordinator's store fails; try again later"));
    return reactor;
  }
  runner_.Submit([this, reactor, request, response](Core& core, base::Time now) -> CoreRunner::Answer {
    const auto use_token = [&core](std::string_view id, std::string_view secret, std::string_view name, base::Time at) {
      return core.UseToken(id, secret, name, at);
    };
    absl::StatusOr<v1::EnrollResponse> enrolled = enrollment_.Enroll(*request, use_token, now);
    if (enrolled.ok()) {
      base::LogInfo(base::Quoted(request->machine_name()), " has enrolled");
      *response = *std::move(enrolled);
    }
    return [reactor, status = enrolled.status()](const absl::Status& durable) {
      reactor->Finish(ToGrpc(durable.ok() ? status : durable));
    };
  });
  return reactor;
}

grpc::ServerUnaryReactor* AgentService::Renew(grpc::CallbackServerContext* context, const v1::RenewRequest* request,
                                              v1::EnrollResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<Caller> caller = authorizer_.Identify(*context);
  if (!caller.ok()) {
    reactor->Finish(ToGrpc(caller.status()));
    return reactor;
  }
  runner_.Submit(
      [this, reactor, request, response, caller = *std::move(caller)](Core&, base::Time now) -> CoreRunner::Answer {
        absl::StatusOr<v1::EnrollResponse> renewed = enrollment_.Renew(*request, caller, now);
        if (renewed.ok()) *response = *std::move(renewed);
        reactor->Finish(ToGrpc(renewed.status()));
        return nullptr;
      });
  return reactor;
}

grpc::ServerBidiReactor<v1::AgentMessage, v1::CoordinatorMessage>* AgentService::Session(
    grpc::CallbackServerContext* context) {
  absl::StatusOr<Caller> caller = authorizer_.Require(*context, v1::ROLE_AGENT);
  if (!caller.ok()) return new RefusedSession(caller.status());
  const std::shared_ptr<AgentSession> session = AgentSession::Start(*context, caller->name, *this, budget_);
  runner_.loop().RunAfter(kGreetingMs, [weak = std::weak_ptr(session)] {
    if (const std::shared_ptr<AgentSession> alive = weak.lock()) alive->EndGreeting();
  });
  return session.get();
}

void AgentService::OnMessage(const std::shared_ptr<AgentSession>& session, v1::AgentMessage message, size_t bytes) {
  runner_.Submit([this, session, message = std::make_shared<v1::AgentMessage>(std::move(message)), bytes](
                     Core& core, base::Time now) -> CoreRunner::Answer {
    metrics_.AgentMessage(session->machine(), bytes, now.unix_ms);
    Take(session, *message, core, now);
    return [session, bytes](const absl::Status&) { session->Settled(bytes); };
  });
}

void AgentService::Take(const std::shared_ptr<AgentSession>& session, v1::AgentMessage& message, Core& core,
                        base::Time now) {
  if (shutting_down_) {
    session->Refuse(v1::Refusal::SHUTTING_DOWN, kShutdown);
    return;
  }
  if (message.has_hello()) {
    session->id = ++last_id_;
    sessions_[session->id] = session;
    core.SessionOpened(session->id, session->machine(), now);
    core.OnAgentMessage(session->id, std::move(message), now);
    return;
  }
  if (sessions_.contains(session->id)) core.OnAgentMessage(session->id, std::move(message), now);
}

void AgentService::OnGone(const std::shared_ptr<AgentSession>& session) {
  runner_.Submit([this, session](Core& core, base::Time now) -> CoreRunner::Answer {
    if (sessions_.erase(session->id) > 0) core.SessionClosed(session->id, now);
    return nullptr;
  });
}

void AgentService::Deliver(Effects::Message message) {
  const auto found = sessions_.find(message.session);
  if (found == sessions_.end()) return;
  const std::shared_ptr<AgentSession> session = found->second;
  if (message.message.has_refusal()) {
    const v1::Refusal& refusal = message.message.refusal();
    base::LogWarning("agent ", base::Quoted(session->machine()), " is refused: ", refusal.message());
    session->Refuse(refusal.code(), refusal.message());
    return;
  }
  session->Send(std::move(message.message));
  if (message.then_close) session->Close(grpc::Status::OK);
}

void AgentService::ShutDown() {
  runner_.loop().Post([this] {
    shutting_down_ = true;
    for (const auto& [id, session] : sessions_) session->Refuse(v1::Refusal::SHUTTING_DOWN, kShutdown);
  });
}

}  // namespace muster::coordinator
