// muster-rogue: an agent that does what an honest one never does, to see it refused. For security_test.py.
//
//   muster-rogue --coordinator HOST:PORT --authority DIR --as ROLE/NAME ACTION     ROLE none: no certificate
//     claim NAME      a session whose Hello claims NAME
//     oversize        a message over every bound
//     version N       a Hello of another protocol version
//     start-run       ControlService.StartRun
//     foreign-event   events for an attempt that belongs to another machine: needs --job, --epoch
//
// Prints the refusal as "CODE: message" and exits 0 when it was refused, 1 when it was not.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <string>

#include "muster/v1/agent_service.grpc.pb.h"
#include "muster/v1/control_service.grpc.pb.h"
#include "tests/load/load_channel.h"

namespace muster {
namespace {

int Report(const v1::Refusal& refusal, const grpc::Status& status) {
  if (refusal.code() != v1::Refusal::CODE_UNSPECIFIED) {
    std::printf("%s: %s\n", v1::Refusal::Code_Name(refusal.code()).c_str(), refusal.message().c_str());
    return 0;
  }
  if (status.ok()) {
    std::printf("not refused\n");
    return 1;
  }
  std::printf("%d: %s\n", status.error_code(), status.error_message().c_str());
  return 0;
}

// Sends the messages and reads until the coordinator refuses, ends the stream, or has welcomed and acted on all.
int Session(grpc::Channel& channel, const std::vector<v1::AgentMessage>& messages) {
  const auto stub = v1::AgentService::NewStub(std::shared_ptr<grpc::Channel>(&channel, [](auto*) {}));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(3));
  const auto stream = stub->Session(&context);
  for (const v1::AgentMessage& message : messages) {
    if (!stream->Write(message)) break;
  }
  // The end of our own writes would end the session before the coordinator has judged all of them.
  v1::Refusal refusal;
  for (v1::CoordinatorMessage message; stream->Read(&message);) {
    if (message.has_refusal()) refusal = message.refusal();
    for (const v1::Ack& ack : message.acks().acks()) std::printf("acked %s\n", ack.ref().job_id().c_str());
  }
  return Report(refusal, stream->Finish());
}

v1::AgentMessage Hello(const std::string& name, uint32_t version) {
  v1::AgentMessage message;
  message.mutable_hello()->set_protocol_version(version);
  message.mutable_hello()->set_agent_instance("rogue");
  message.mutable_hello()->mutable_machine()->set_name(name);
  return message;
}

v1::AgentMessage ForeignEvents(const std::string& job, uint64_t epoch) {
  v1::AgentMessage message;
  v1::EventBatch& batch = *message.mutable_events();
  batch.mutable_ref()->set_job_id(job);
  batch.mutable_ref()->set_attempt(1);
  batch.mutable_ref()->set_epoch(epoch);
  v1::Event& event = *batch.add_events();
  event.set_sequence(1);
  event.mutable_job_finished()->set_fate(v1::FATE_COMPLETED);
  return message;
}

int StartRun(grpc::Channel& channel) {
  const auto stub = v1::ControlService::NewStub(std::shared_ptr<grpc::Channel>(&channel, [](auto*) {}));
  grpc::ClientContext context;
  v1::StartRunRequest request;
  request.set_plan_name("smoke");
  v1::StartRunResponse response;
  return Report({}, stub->StartRun(&context, request, &response));
}

int Main(int argc, char** argv) {
  load::ChannelOptions channel_options;
  std::string identity, claimed, job;
  uint32_t version = 0;
  uint64_t epoch = 1;
  CLI::App app("An agent that misbehaves.");
  app.add_option("--coordinator", channel_options.address)->required();
  app.add_option("--authority", channel_options.authority_folder)->required();
  app.add_option("--as", identity, "ROLE/NAME")->required();
  app.require_subcommand(1);
  CLI::App* claim = app.add_subcommand("claim");
  claim->add_option("name", claimed)->required();
  CLI::App* oversize = app.add_subcommand("oversize");
  CLI::App* other_version = app.add_subcommand("version");
  other_version->add_option("number", version)->required();
  CLI::App* start_run = app.add_subcommand("start-run");
  CLI::App* foreign = app.add_subcommand("foreign-event");
  foreign->add_option("--job", job)->required();
  foreign->add_option("--epoch", epoch);
  CLI11_PARSE(app, argc, argv);

  const std::map<std::string, base::IdentityRole> roles = {{"agent", base::IdentityRole::kAgent},
                                                           {"viewer", base::IdentityRole::kViewer},
                                                           {"operator", base::IdentityRole::kOperator}};
  const size_t slash = identity.find('/');
  const std::string name = identity.substr(slash + 1);
  const std::string role = identity.substr(0, slash);
  const auto channel = role == "none" ? load::StrangersChannel(channel_options)
                                      : load::ChannelAs(channel_options, {.role = roles.at(role), .name = name});
  if (*start_run) return StartRun(*channel);
  if (*claim) return Session(*channel, {Hello(claimed, 1)});
  if (*other_version) return Session(*channel, {Hello(name, version)});
  if (*foreign) return Session(*channel, {Hello(name, 1), ForeignEvents(job, epoch)});
  v1::AgentMessage huge = Hello(name, 1);
  if (*oversize) huge.mutable_hello()->mutable_machine()->set_os(std::string(64 << 20, 'x'));
  return Session(*channel, {huge});
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) { return muster::Main(argc, argv); }
