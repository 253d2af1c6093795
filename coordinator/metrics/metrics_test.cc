#include "coordinator/metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <string>

#include "coordinator/metrics/http_server.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::MachineStatus MachineWith(const std::string& name, const std::string& device_id, bool simulated) {
  v1::MachineStatus status;
  v1::Machine& machine = *status.mutable_machine();
  machine.set_name(name);
  v1::Device& device = *machine.add_devices();
  device.set_id(device_id);
  device.set_vendor(v1::VENDOR_NVIDIA);
  device.set_model("NVIDIA \"H200\"");
  device.set_driver_state(v1::DRIVER_STATE_READY);
  device.set_simulated(simulated);
  return status;
}

void Report(Metrics& metrics, const std::string& machine, const std::string& device, v1::Verdict verdict,
            double value) {
  v1::CaseResult result;
  result.set_case_name("memory.copy");
  result.set_verdict(verdict);
  result.set_started_unix_ms(1'795'000'000'000);
  result.set_duration_ms(1'005);
  metrics.Observe({.machine = machine, .device_id = device, .suite = "benchmark", .result = &result}, 0);
  v1::Measurement measurement;
  measurement.set_case_name("memory.copy");
  measurement.set_name("bandwidth");
  measurement.set_unit("B/s");
  measurement.set_number(value);
  metrics.Observe({.machine = machine, .device_id = device, .suite = "benchmark", .measurement = &measurement}, 0);
}

TEST(Metrics, TheLastResultOfADeviceReplacesTheOneBefore) {
  Metrics metrics;
  Report(metrics, "node-1", "GPU-1", v1::PASSED, 4e12);
  Report(metrics, "node-1", "GPU-1", v1::FAILED, 3.5e12);
  const std::string text = metrics.Text();
  const std::string labels = "machine=\"node-1\",device=\"GPU-1\",suite=\"benchmark\",case=\"memory.copy\"";
  EXPECT_THAT(text, HasSubstr("\nmuster_case_last_verdict{" + labels + ",verdict=\"FAILED\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr(labels + ",verdict=\"PASSED\"")));
  EXPECT_THAT(text, HasSubstr("\nmuster_case_last_result_timestamp_seconds{" + labels + "} 1795000001.005\n"));
  EXPECT_THAT(text, HasSubstr("\nmuster_measurement{" + labels + ",name=\"bandwidth\",unit=\"B/s\"} 3500000000000\n"));
  EXPECT_THAT(text, HasSubstr("\nmuster_cases_total{suite=\"benchmark\",verdict=\"PASSED\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nmuster_cases_total{suite=\"benchmark\",verdict=\"FAILED\"} 1\n"));
}

TEST(Metrics, SimulatedDevicesAreMarkedEverywhere) {
  Metrics metrics;
  metrics.MachineChanged(MachineWith("node-1", "GPU-1", true));
  Report(metrics, "node-1", "GPU-1", v1::PASSED, 1);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("model=\"NVIDIA \\\"H200\\\"\",simulated=\"true\",verdict=\"PASSED\"} 1"));
  EXPECT_THAT(text, HasSubstr("model=\"NVIDIA \\\"H200\\\"\",simulated=\"true\",name=\"bandwidth\""));
  EXPECT_THAT(text, HasSubstr("muster_devices{vendor=\"nvidia\",model=\"NVIDIA \\\"H200\\\"\",driver_state=\"ready\","
                              "simulated=\"true\"} 1\n"));
}

TEST(Metrics, SiblingsCanBeCompared) {
  Metrics metrics;
  Report(metrics, "node-1", "GPU-1", v1::PASSED, 1);
  Report(metrics, "node-1", "", v1::PASSED, 1);
  metrics.MachineChanged(MachineWith("node-1", "GPU-1", false));
  const std::string text = metrics.Text();
  const std::string model = ",gpu=\"0\",model=\"NVIDIA \\\"H200\\\"\"";
  EXPECT_THAT(text, HasSubstr("device=\"GPU-1\",suite=\"benchmark\",case=\"memory.copy\"" + model +
                              ",name=\"bandwidth\",unit=\"B/s\"} 1\n"))
      << "also when the inventory comes later";
  EXPECT_THAT(text, HasSubstr("case=\"memory.copy\"" + model + ",verdict=\"PASSED\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("device=\"\",suite=\"benchmark\",case=\"memory.copy\",verdict=\"PASSED\"} 1\n"));
  metrics.MachineChanged(MachineWith("node-1", "GPU-1", true));
  EXPECT_THAT(metrics.Text(), HasSubstr("device=\"\",suite=\"benchmark\",case=\"memory.copy\",simulated=\"true\",name"))
      << "what is of no one device of a simulated machine";
}

TEST(Metrics, ARunThatEndsIsItsPlansLast) {
  Metrics metrics;
  WriteBatch batch;
  v1::Run& run = batch.runs.emplace_back();
  run.set_id("r-1");
  run.mutable_plan()->set_name("nightly");
  metrics.Committed(batch, 0.001);
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("nightly")));
  run.set_state(v1::RUN_STATE_FINISHED);
  run.set_colour(v1::RED);
  metrics.Committed(batch, 0.001);
  EXPECT_THAT(metrics.Text(), HasSubstr("muster_plan_last_run_colour{plan=\"nightly\",colour=\"RED\"} 1\n"));
}

TEST(Metrics, AMachineSeenAgainIsCountedOnce) {
  Metrics metrics;
  metrics.MachineChanged(MachineWith("node-1", "GPU-1", false));
  metrics.MachineChanged(MachineWith("node-2", "GPU-2", false));
  metrics.MachineChanged(MachineWith("node-1", "GPU-1", false));
  EXPECT_THAT(metrics.Text(), HasSubstr("driver_state=\"ready\"} 2\n"));
}

TEST(Metrics, AJobsWaitIsObservedOnce) {
  Metrics metrics;
  WriteBatch batch;
  v1::Job& job = batch.jobs.emplace_back();
  job.set_id("r-1/1");
  job.set_queued_unix_ms(1'000);
  v1::Attempt& attempt = batch.attempts.emplace_back();
  attempt.mutable_ref()->set_job_id("r-1/1");
  attempt.mutable_ref()->set_attempt(1);
  attempt.mutable_ref()->set_epoch(7);
  attempt.set_granted_unix_ms(1'500);
  metrics.Committed(batch, 0.002);
  metrics.Committed(batch, 0.002);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("\nmuster_queue_seconds_count 1\n"));
  EXPECT_THAT(text, HasSubstr("\nmuster_queue_seconds_sum 0.5\n"));
  EXPECT_THAT(text, HasSubstr("\nmuster_store_commit_seconds_count 2\n"));
  EXPECT_THAT(text, HasSubstr("\nmuster_store_batch_rows_sum 4\n"));
}

TEST(Metrics, WhatAgentsCanMakeItRememberIsBounded) {
  DeviceSeries series;
  v1::CaseResult result;
  result.set_verdict(v1::PASSED);
  for (size_t i = 0; i < DeviceSeries::kMaxCasesPerMachine + 10; ++i) {
    result.set_case_name("case-" + std::to_string(i));
    series.Result("node-1", "GPU-1", "suite", result, 1);
  }
  EXPECT_EQ(series.refused(), 10u);
  v1::Measurement measurement;
  measurement.set_case_name("case-1");
  measurement.set_number(1);
  for (size_t i = 0; i < DeviceSeries::kMaxMeasurementsPerCase + 5; ++i) {
    measurement.set_name("name-" + std::to_string(i));
    series.Measured("node-1", "GPU-1", "suite", measurement);
  }
  EXPECT_EQ(series.refused(), 15u);
}

TEST(HttpServer, ServesMetricsHealthAndAnIndexAndNothingElse) {
  Metrics metrics;
  Core::Counts counts;
  counts.machines = 3;
  metrics.Count(counts);
  std::atomic<bool> healthy = true;
  auto server = HttpServer::Start("127.0.0.1:0", metrics, [&healthy] { return healthy.load(); });
  ASSERT_TRUE(server.ok()) << server.status();
  httplib::Client client("http://" + (*server)->address());
  auto response = client.Get("/metrics");
  ASSERT_TRUE(response);
  EXPECT_THAT(response->body, HasSubstr("\nmuster_machines 3\n"));
  EXPECT_THAT(response->get_header_value("Content-Type"), HasSubstr("text/plain; version=0.0.4"));
  response = client.Get("/metrics", {{"Accept-Encoding", "gzip, br"}});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->get_header_value("Content-Encoding"), "");
  v1::MachineStatus machine = MachineWith("node-1", "GPU-1", false);
  machine.mutable_machine()->set_metrics_address("node-1:9465");
  metrics.MachineChanged(machine);
  response = client.Get("/sd/prometheus");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->get_header_value("Content-Type"), "application/json");
  EXPECT_THAT(response->body, HasSubstr("[{\"targets\": [\"node-1:9465\"], \"labels\": {"));
  EXPECT_EQ(client.Get("/healthz")->status, 200);
  healthy = false;
  EXPECT_EQ(client.Get("/healthz")->status, 503);
  EXPECT_THAT(client.Get("/")->body, HasSubstr("machines: 3"));
  EXPECT_EQ(client.Get("/etc/passwd")->status, 404);
  EXPECT_EQ(client.Post("/metrics", "", "text/plain")->status, 404);
}

TEST(HttpServer, SaysWhatIsWrongWithAnAddress) {
  Metrics metrics;
  for (const char* address : {"", "9464", ":9464", "127.0.0.1:x", "127.0.0.1:70000", "192.0.2.1:9464"}) {
    EXPECT_FALSE(HttpServer::Start(address, metrics, [] { return true; }).ok()) << address;
  }
}

}  // namespace
}  // namespace muster::coordinator
