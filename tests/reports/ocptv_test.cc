// A report of one job is OCPTV that the strict reader takes without a fault, and it says of every case what the job's
// agent said.
#include "coordinator/report/ocptv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "agent/executor/case_tracker.h"
#include "coordinator/report/run_report_fake.h"

namespace muster {
namespace {

using ::testing::IsEmpty;

// The outcomes that the reader sees in a stream, and everything irregular.
struct Seen {
  std::map<std::string, v1::CaseResult> results;
  std::vector<v1::Measurement> measurements;
  std::vector<std::string> findings;
};

Seen ReadStrictly(const std::string& stream, const v1::Job& job) {
  Seen seen;
  std::vector<agent::CaseBook::Requested> requested;
  for (const v1::ExpectedCase& expected : job.expected())
    requested.push_back({.name = expected.name(), .time_limit_ms = 1'000});
  agent::CaseBook book(requested, [&seen](v1::Event event) {
    if (event.has_case_finished()) seen.results[event.case_finished().case_name()] = event.case_finished();
    if (event.has_measurement()) seen.measurements.push_back(event.measurement());
  });
  v1::Device device;
  device.set_id("GPU-1");
  agent::OcptvResults results(agent::OcptvMode::kStrict, {device}, &book, [](v1::LogStream, std::string_view) {});
  const base::Time now{.mono_ms = 1, .unix_ms = 1};
  results.TakeStdout(stream, now);
  results.End({.exit_code = 0}, now);
  book.End({.exit_code = 0}, now);
  seen.findings = book.JobFindings();
  return seen;
}

TEST(OcptvReport, APassingJobReadsBackWithItsMeasurements) {
  coordinator::RunReport report = coordinator::FakeReport();
  report.measurements[0].mutable_measurements()->RemoveLast();  // Of no case; its step is nobody's case.
  const v1::Job& job = report.stored.jobs[0];
  const Seen seen = ReadStrictly(*coordinator::OcptvLinesOfJob(report, job.id()), job);
  EXPECT_THAT(seen.findings, IsEmpty());
  ASSERT_EQ(seen.results.size(), 1u);
  EXPECT_EQ(seen.results.at("memory.copy").outcome(), v1::PASSED);
  EXPECT_THAT(seen.results.at("memory.copy").findings(), IsEmpty());
  ASSERT_EQ(seen.measurements.size(), 4u);
  EXPECT_EQ(seen.measurements[0].number(), 4.37e12);
  EXPECT_EQ(seen.measurements[0].device_id(), "GPU-1");
  EXPECT_EQ(seen.measurements[3].series_index(), 2u);
}

TEST(OcptvReport, EveryVerdictIsToldAsOcptvKnowsIt) {
  const coordinator::RunReport report = coordinator::FakeReport();
  const v1::Job& job = report.stored.jobs[1];
  const Seen seen = ReadStrictly(*coordinator::OcptvLinesOfJob(report, job.id()), job);
  EXPECT_THAT(seen.findings, IsEmpty());
  const std::map<v1::Verdict, v1::Verdict> read_as = {
      {v1::PASSED, v1::PASSED},  {v1::FAILED, v1::FAILED},       {v1::SKIPPED, v1::SKIPPED}, {v1::ERROR, v1::ERROR},
      {v1::CRASHED, v1::ERROR},  {v1::TIMED_OUT, v1::ERROR},     {v1::CANCELLED, v1::ERROR}, {v1::MISSED, v1::ERROR},
      {v1::VACUOUS, v1::FAILED}, {v1::KNOWN_ISSUE, v1::SKIPPED}, {v1::FIXED, v1::PASSED},    {v1::FLAKY, v1::PASSED}};
  ASSERT_EQ(seen.results.size(), read_as.size());
  for (const auto& [verdict, outcome] : read_as) {
    const v1::CaseResult& result = seen.results.at("case-" + std::to_string(verdict));
    EXPECT_EQ(result.outcome(), outcome) << v1::Verdict_Name(verdict);
    EXPECT_THAT(result.findings(), IsEmpty());
  }
  EXPECT_EQ(seen.results.at("case-3").reason(), "because <&> \"it\" is so");
}

TEST(OcptvReport, AJobThatNeverRanReadsBack) {
  coordinator::RunReport report = coordinator::FakeReport();
  report.stored.jobs[0].clear_attempts();
  const v1::Job& job = report.stored.jobs[0];
  const Seen seen = ReadStrictly(*coordinator::OcptvLinesOfJob(report, job.id()), job);
  EXPECT_THAT(seen.findings, IsEmpty());
  EXPECT_EQ(seen.results.at("memory.copy").outcome(), v1::ERROR);
}

}  // namespace
}  // namespace muster
