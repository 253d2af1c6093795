#include "coordinator/report/ocptv.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/json.h"
#include "coordinator/report/run_report_fake.h"
#include "muster/v1/ocptv.pb.h"

namespace muster::coordinator {
namespace {

namespace ocptv = v1::ocptv;

// Reads a stream back and checks what holds for every stream.
std::vector<ocptv::Root> Read(const std::string& lines) {
  std::vector<ocptv::Root> roots;
  for (const absl::string_view line : absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    ocptv::Root root;
    const absl::Status parsed = base::FromJson(std::string(line), base::UnknownFields::kRefuse, &root);
    EXPECT_TRUE(parsed.ok()) << parsed << "\n" << line;
    EXPECT_EQ(root.sequence_number(), static_cast<int>(roots.size())) << line;
    EXPECT_TRUE(line.find("\"sequenceNumber\":\"") == line.npos) << "a number, not text: " << line;
    EXPECT_GE(root.timestamp(), roots.empty() ? "" : roots.back().timestamp());
    roots.push_back(root);
  }
  return roots;
}

struct RunEnd {
  std::string name, status, result;
  std::map<std::string, std::string> steps;  // Case to status.
};
std::vector<RunEnd> Ends(const std::vector<ocptv::Root>& roots) {
  std::vector<RunEnd> ends;
  std::map<std::string, std::string> open;
  for (const ocptv::Root& root : roots) {
    const auto& run = root.test_run_artifact();
    const auto& step = root.test_step_artifact();
    if (run.has_test_run_start()) ends.push_back({run.test_run_start().name(), "", "", {}});
    if (step.has_test_step_start()) open[step.test_step_id()] = step.test_step_start().name();
    EXPECT_EQ(root.has_test_step_artifact(), open.count(step.test_step_id()) == 1) << root.DebugString();
    if (step.has_test_step_end()) {
      ends.back().steps[open[step.test_step_id()]] = step.test_step_end().status();
      open.erase(step.test_step_id());
    }
    if (run.has_test_run_end()) {
      EXPECT_TRUE(open.empty());
      ends.back().status = run.test_run_end().status();
      ends.back().result = run.test_run_end().result();
    }
  }
  return ends;
}

TEST(Ocptv, OneTestRunAJobInOneStream) {
  const std::vector<ocptv::Root> roots = Read(OcptvLines(FakeReport()));
  ASSERT_FALSE(roots.empty());
  EXPECT_EQ(roots[0].schema_version().major(), 2);
  EXPECT_EQ(roots[0].timestamp().substr(0, 3), "202") << "the stream begins when the run did, not in 1970";
  EXPECT_TRUE(roots[0].schema_version().has_minor());
  const std::vector<RunEnd> ends = Ends(roots);
  ASSERT_EQ(ends.size(), 2u);
  EXPECT_EQ(ends[0].name, "benchmark");
  EXPECT_EQ(ends[0].status + "/" + ends[0].result, "COMPLETE/PASS");
  EXPECT_EQ(ends[1].status + "/" + ends[1].result, "COMPLETE/FAIL");
  EXPECT_EQ(ends[1].steps.at("case-3"), "SKIP");
  EXPECT_EQ(ends[1].steps.at("case-8"), "ERROR") << "MISSED";
  EXPECT_EQ(ends[1].steps.at("case-10"), "SKIP") << "KNOWN_ISSUE";
  EXPECT_EQ(ends[1].steps.size(), 12u);
}

TEST(Ocptv, TheDeviceUnderTestIsDescribedAndReferredTo) {
  std::set<std::string> hardware;
  int measured = 0;
  for (const ocptv::Root& root : Read(OcptvLines(FakeReport()))) {
    for (const auto& info : root.test_run_artifact().test_run_start().dut_info().hardware_infos()) {
      hardware.insert(info.hardware_info_id());
      EXPECT_EQ(info.name(), "NVIDIA H200");
      EXPECT_EQ(info.location(), "0000:41:00.0");
    }
    if (!root.test_step_artifact().has_measurement()) continue;
    ++measured;
    EXPECT_TRUE(hardware.count(root.test_step_artifact().measurement().hardware_info_id()));
  }
  EXPECT_EQ(measured, 2);
}

TEST(Ocptv, ASeriesIsWhole) {
  std::vector<double> values;
  int started = 0, total = 0;
  for (const ocptv::Root& root : Read(OcptvLines(FakeReport()))) {
    const auto& step = root.test_step_artifact();
    started += step.has_measurement_series_start();
    if (step.has_measurement_series_element()) {
      EXPECT_EQ(step.measurement_series_element().index(), static_cast<int>(values.size()));
      EXPECT_TRUE(step.measurement_series_element().has_index());
      values.push_back(step.measurement_series_element().value().number_value());
    }
    if (step.has_measurement_series_end()) total = step.measurement_series_end().total_count();
  }
  EXPECT_EQ(started, 1);
  EXPECT_EQ(total, 3);
  EXPECT_EQ(values, (std::vector<double>{4.3e12, 4.3e12 + 1, 4.3e12 + 2}));
}

TEST(Ocptv, ValidatorsKeepTheirType) {
  for (const ocptv::Root& root : Read(OcptvLines(FakeReport()))) {
    for (const auto& validator : root.test_step_artifact().measurement().validators()) {
      EXPECT_EQ(validator.type(), "GREATER_THAN_OR_EQUAL");
      EXPECT_EQ(validator.value().number_value(), 4e12);
      return;
    }
  }
  FAIL() << "no validator";
}

TEST(Ocptv, AJobWhoseMachineryFailedIsAnError) {
  RunReport report = FakeReport();
  v1::Attempt& attempt = *report.stored.jobs[0].mutable_attempts(0);
  attempt.set_fate(v1::FATE_LEASE_LOST);
  const absl::StatusOr<std::string> lines = OcptvLinesOfJob(report, report.stored.jobs[0].id());
  ASSERT_TRUE(lines.ok());
  const std::vector<RunEnd> ends = Ends(Read(*lines));
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].status + "/" + ends[0].result, "ERROR/NOT_APPLICABLE");
  EXPECT_NE(lines->find("\"symptom\":\"lease-lost\""), std::string::npos);
  EXPECT_EQ(OcptvLinesOfJob(report, "r-none/1").status().code(), absl::StatusCode::kNotFound);
}

// The job's one attempt as the coordinator ends it without asking an agent.
RunReport KeptAway(v1::Fate fate, v1::Verdict verdict) {
  RunReport report = FakeReport();
  v1::Attempt& attempt = *report.stored.jobs[0].mutable_attempts(0);
  attempt.set_fate(fate);
  attempt.set_detail("GPU 0 is hot");
  attempt.clear_results();
  AddFakeResult(attempt, "memory.copy", verdict, "GPU 0 is hot");
  report.measurements.clear();
  return report;
}

TEST(Ocptv, WhatIsKeptAwaySaysWhy) {
  const RunReport quarantined = KeptAway(v1::FATE_QUARANTINED, v1::SKIPPED);
  const auto skipped = OcptvLinesOfJob(quarantined, quarantined.stored.jobs[0].id());
  ASSERT_TRUE(skipped.ok());
  EXPECT_EQ(Ends(Read(*skipped)).at(0).status, "SKIP") << "nothing is broken";
  EXPECT_NE(skipped->find("GPU 0 is hot"), std::string::npos);
  const RunReport failed = KeptAway(v1::FATE_WITHHELD, v1::MISSED);
  const auto withheld = OcptvLinesOfJob(failed, failed.stored.jobs[0].id());
  ASSERT_TRUE(withheld.ok());
  EXPECT_EQ(Ends(Read(*withheld)).at(0).steps.at("memory.copy"), "ERROR");
  EXPECT_NE(withheld->find("\"symptom\":\"missed\",\"message\":\"GPU 0 is hot\""), std::string::npos) << *withheld;
}

TEST(Ocptv, ASimulatedDeviceIsMarked) {
  RunReport report = FakeReport();
  v1::Device& device = *report.machines["node-1"].mutable_devices(0);
  device.set_simulated(true);
  EXPECT_NE(OcptvLines(report).find("\"NVIDIA H200 (simulated)\""), std::string::npos);
  device.set_model("NVIDIA H200 (simulated)");
  EXPECT_NE(OcptvLines(report).find("\"NVIDIA H200 (simulated)\""), std::string::npos) << "once is enough";
  EXPECT_NE(OcptvLines(report).find("\"metadata\":{\"simulated\":true}"), std::string::npos);
}

TEST(Ocptv, NumbersThatJsonLacksAndBadBytesStayReadable) {
  RunReport report = FakeReport();
  report.measurements[0].mutable_measurements(0)->set_number(std::numeric_limits<double>::infinity());
  report.stored.jobs[1].mutable_attempts(0)->mutable_results(1)->set_reason("\xff\x01 broken");
  EXPECT_EQ(Ends(Read(OcptvLines(report))).size(), 2u);
}

}  // namespace
}  // namespace muster::coordinator
