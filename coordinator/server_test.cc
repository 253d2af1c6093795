#include "coordinator/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <string>

#include "coordinator/server_fixture.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;

class ServerTest : public ServerFixture {};

TEST_F(ServerTest, ARunGoesThroughAnAgentAndComesBackAsAResult) {
  Start();
  AgentClient agent(channel_);
  agent.Greet("node-1");
  EXPECT_EQ(agent.ReadUntil(v1::CoordinatorMessage::kWelcome).welcome().protocol_version(), 1u);
  const v1::Run run = StartRun("host");
  const v1::Directive directive = agent.ReadUntil(v1::CoordinatorMessage::kDirectives).directives().directives(0);
  EXPECT_EQ(directive.action(), v1::Directive::RUN);
  agent.SendState(directive.ref(), v1::HeldAttempt::RUNNING);

  v1::AgentMessage message;
  v1::EventBatch& batch = *message.mutable_events();
  *batch.mutable_ref() = directive.ref();
  uint64_t sequence = 0;
  const auto add = [&]() -> v1::Event& {
    v1::Event& event = *batch.add_events();
    event.set_sequence(++sequence);
    return event;
  };
  add().mutable_job_started()->set_command_line("./host");
  add().mutable_log()->set_data("hello\n");
  v1::CaseResult& result = *add().mutable_case_finished();
  result.set_case_name("kernel");
  result.set_outcome(v1::PASSED);
  add().mutable_job_finished()->set_fate(v1::FATE_COMPLETED);
  agent.Send(message);
  EXPECT_EQ(agent.ReadUntil(v1::CoordinatorMessage::kAcks).acks().acks(0).through_sequence(), 4u);

  grpc::ClientContext watch_context;
  v1::WatchRunRequest watch;
  watch.set_run_id(run.id().substr(0, 8));
  auto updates = control_->WatchRun(&watch_context, watch);
  v1::RunUpdate update, last;
  while (updates->Read(&update)) last = update;
  EXPECT_TRUE(updates->Finish().ok());
  EXPECT_EQ(last.run().state(), v1::RUN_STATE_FINISHED);
  EXPECT_EQ(last.run().colour(), v1::GREEN);

  grpc::ClientContext log_context;
  v1::ReadLogRequest log;
  log.set_job_id(directive.ref().job_id());
  auto chunks = control_->ReadLog(&log_context, log);
  v1::ReadLogResponse chunk;
  ASSERT_TRUE(chunks->Read(&chunk));
  EXPECT_EQ(chunk.chunk().data(), "hello\n");
  EXPECT_FALSE(chunks->Read(&chunk));
  EXPECT_TRUE(chunks->Finish().ok());

  grpc::ClientContext report_context;
  v1::GetReportRequest report;
  report.set_run_id("last");
  report.set_format(v1::REPORT_FORMAT_JUNIT);
  auto parts = control_->GetReport(&report_context, report);
  v1::GetReportResponse part;
  ASSERT_TRUE(parts->Read(&part));
  EXPECT_THAT(part.data(), HasSubstr("<testsuite name=\"host@node-1\""));
}

TEST_F(ServerTest, WhatWasSoBeforeARestartIsInTheMetrics) {
  Start();
  {
    AgentClient agent(channel_);
    agent.Greet("node-1");
    agent.ReadUntil(v1::CoordinatorMessage::kWelcome);
    v1::SetQuarantineRequest request;
    request.set_machine("node-1");
    request.set_reason("moves");
    v1::SetQuarantineResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(control_->SetQuarantine(&context, request, &response).ok());
    EXPECT_EQ(StartRun("host").state(), v1::RUN_STATE_FINISHED);
  }
  Stop();
  Start();
  const auto text = httplib::Client("http://" + server_->http_address()).Get("/metrics");
  ASSERT_TRUE(text);
  EXPECT_THAT(text->body, HasSubstr("\nmuster_machine_connected{machine=\"node-1\"} 0\n"));
  EXPECT_THAT(text->body, HasSubstr("\nmuster_machine_quarantined{machine=\"node-1\"} 1\n"));
  EXPECT_THAT(text->body, HasSubstr("\nmuster_machine_last_seen_timestamp_seconds{machine=\"node-1\"} "));
  EXPECT_THAT(text->body, HasSubstr("\nmuster_plan_last_run_colour{plan=\"test\",colour=\"GREEN\"} 1\n"));
  EXPECT_THAT(text->body, HasSubstr("\nmuster_plan_last_run_cases{plan=\"test\",verdict=\"SKIPPED\"} 1\n"));
}

}  // namespace
}  // namespace muster::coordinator
