// A run with something of everything, for the tests of the reports.
#ifndef MUSTER_COORDINATOR_REPORT_RUN_REPORT_FAKE_H_
#define MUSTER_COORDINATOR_REPORT_RUN_REPORT_FAKE_H_

#include <string>

#include "coordinator/report/run_report.h"

namespace muster::coordinator {

inline constexpr int64_t kFakeStart = 1'795'000'000'000;

inline v1::CaseResult& AddFakeResult(v1::Attempt& attempt, const std::string& name, v1::Verdict verdict,
                                     const std::string& reason) {
  v1::CaseResult& result = *attempt.add_results();
  result.set_case_name(name);
  result.set_outcome(verdict);
  result.set_verdict(verdict);
  result.set_reason(reason);
  result.set_started_unix_ms(kFakeStart + 1'000);
  result.set_duration_ms(250);
  return result;
}

inline v1::Measurement& AddFakeMeasurement(v1::JobMeasurements& measurements, const std::string& case_name,
                                           const std::string& name, double number) {
  v1::Measurement& measurement = *measurements.add_measurements();
  measurement.set_case_name(case_name);
  measurement.set_name(name);
  measurement.set_number(number);
  measurement.set_unit("B/s");
  measurement.set_device_id("GPU-1");
  measurement.set_time_unix_ms(kFakeStart + 1'100);
  measurement.set_valid(true);
  return measurement;
}

// A finished job with the given attempt number that counts; its machine is "node-1" and its device GPU-1.
inline v1::Job FakeJob(const std::string& id, const std::string& suite) {
  v1::Job job;
  job.set_id(id);
  job.set_run_id("r-0123456789abc");
  job.set_machine("node-1");
  job.set_state(v1::JOB_STATE_FINISHED);
  job.set_queued_unix_ms(kFakeStart);
  job.mutable_spec()->set_suite(suite);
  job.mutable_spec()->set_suite_version("1.2");
  job.mutable_spec()->set_level(v1::LEVEL_QUICK);
  job.mutable_spec()->add_device_ids("GPU-1");
  (*job.mutable_spec()->mutable_parameters())["seconds"] = "5";
  v1::Attempt& attempt = *job.add_attempts();
  attempt.mutable_ref()->set_job_id(id);
  attempt.mutable_ref()->set_attempt(1);
  attempt.set_fate(v1::FATE_COMPLETED);
  attempt.set_started_unix_ms(kFakeStart + 500);
  attempt.set_finished_unix_ms(kFakeStart + 5'500);
  attempt.set_suite_version("1.2");
  attempt.set_command_line("./benchmark");
  return job;
}

// One job of each kind: one that passes with measurements and a series, one with every verdict.
inline RunReport FakeReport() {
  RunReport report;
  v1::Run& run = report.stored.run;
  run.set_id("r-0123456789abc");
  run.mutable_plan()->set_name("smoke");
  run.set_state(v1::RUN_STATE_FINISHED);
  run.set_created_unix_ms(kFakeStart);
  run.set_finished_unix_ms(kFakeStart + 6'000);

  v1::Job passing = FakeJob("r-0123456789abc/1", "benchmark");
  passing.add_expected()->set_name("memory.copy");
  AddFakeResult(*passing.mutable_attempts(0), "memory.copy", v1::PASSED, "");
  v1::JobMeasurements& measurements = report.measurements.emplace_back();
  measurements.set_job_id(passing.id());
  measurements.set_attempt(1);
  v1::Validator& validator =
      *AddFakeMeasurement(measurements, "memory.copy", "copy.bandwidth", 4.37e12).add_validators();
  validator.set_type("GREATER_THAN_OR_EQUAL");
  validator.set_value_json("4000000000000");
  for (uint32_t i = 0; i < 3; ++i) {
    AddFakeMeasurement(measurements, "memory.copy", "copy.sample", 4.3e12 + i).set_series_index(i);
  }
  AddFakeMeasurement(measurements, "", "setup.bytes", 1);

  v1::Job every = FakeJob("r-0123456789abc/2", "selftest");
  for (int verdict = v1::PASSED; verdict <= v1::FLAKY; ++verdict) {
    const std::string name = "case-" + std::to_string(verdict);
    every.add_expected()->set_name(name);
    if (verdict == v1::MISSED) continue;  // The report must miss it by itself.
    AddFakeResult(*every.mutable_attempts(0), name, static_cast<v1::Verdict>(verdict), "because <&> \"it\" is so");
  }
  report.stored.jobs = {passing, every};

  v1::Machine& machine = report.machines["node-1"];
  machine.set_name("node-1");
  machine.set_os("Debian GNU/Linux 12");
  machine.set_kernel("6.1.0");
  v1::Device& device = *machine.add_devices();
  device.set_id("GPU-1");
  device.set_vendor(v1::VENDOR_NVIDIA);
  device.set_model("NVIDIA H200");
  device.set_pci_address("0000:41:00.0");
  device.set_serial("165");
  device.set_driver_version("580.159.04");
  return report;
}

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_REPORT_RUN_REPORT_FAKE_H_
