// The SDK from outside: what sample_suite.cc does must come out as OCPTV says it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "suites/sdk/testing/program_run.h"

namespace muster::sdk::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kDevices[] =
    R"(MUSTER_DEVICES=[{"id": "GPU-good", "vendor": "VENDOR_NVIDIA", "model": "NVIDIA H200", "serial": "1650",
                        "pciAddress": "0000:41:00.0", "driverVersion": "580.1", "kernelDriver": "nvidia"},
                       {"id": "GPU-skipped"}, {"id": "GPU-lost"}])";

ProgramRun RunCase(const std::string& name, const std::string& devices = "MUSTER_DEVICES=[]") {
  return RunProgram(MUSTER_SAMPLE_SUITE,
                    {"MUSTER_SUITE=sample", "MUSTER_SUITE_VERSION=4", "MUSTER_CASES=sample." + name,
                     "MUSTER_PARAMETERS={\"size\": 4096}", devices});
}

const Step& Only(const ProgramRun& run) {
  static const Step kNone;
  EXPECT_EQ(run.steps.size(), 1u);
  return run.steps.empty() ? kNone : run.steps.begin()->second;
}

// The case ends with `status`, and the run with these words.
void ExpectEnd(const ProgramRun& run, const std::string& status, const std::string& run_status,
               const std::string& result) {
  EXPECT_EQ(Only(run).status, status);
  EXPECT_EQ(run.end.status(), run_status);
  EXPECT_EQ(run.end.result(), result);
}

TEST(Sample, APassIsAMeasurementAndNoDiagnosis) {
  const ProgramRun run = RunCase("passes");
  ExpectEnd(run, "COMPLETE", "COMPLETE", "PASS");
  EXPECT_EQ(run.exit_status, 0);
  const Step& step = Only(run);
  ASSERT_EQ(step.measurements.size(), 2u);
  EXPECT_EQ(step.measurements[0].name(), "rate");
  EXPECT_EQ(step.measurements[0].value().number_value(), 1.5e12);
  EXPECT_EQ(step.measurements[0].unit(), "B/s");
  EXPECT_EQ(step.measurements[0].validators(0).type(), "GREATER_THAN_OR_EQUAL");
  EXPECT_EQ(step.measurements[1].name(), "work.bytes");
  EXPECT_TRUE(step.diagnoses.empty());
}

TEST(Sample, ACaseThatYieldsToSigtermIsReportedAndTheLast) {
  const ProgramRun run = RunCase("is_interrupted,sample.measures_in_threads");
  EXPECT_EQ(run.exit_status, 143);
  const Step& step = Only(run);
  EXPECT_EQ(step.status, "SKIP");
  EXPECT_EQ(step.measurements.at(0).name(), "done");
  EXPECT_THAT(step.diagnoses.at(0).message(), HasSubstr("stopped by SIGTERM"));
}

TEST(Sample, AFailedAssertionIsAFailDiagnosisWithItsPlace) {
  const ProgramRun run = RunCase("fails");
  ExpectEnd(run, "COMPLETE", "COMPLETE", "FAIL");
  EXPECT_EQ(run.exit_status, 1);
  const auto& diagnosis = Only(run).diagnoses.at(0);
  EXPECT_EQ(diagnosis.type(), "FAIL");
  EXPECT_EQ(diagnosis.verdict(), "failed");
  EXPECT_THAT(diagnosis.message(), HasSubstr("arithmetic is off"));
  EXPECT_THAT(diagnosis.source_location().file(), HasSubstr("sample_suite.cc"));
  EXPECT_GT(diagnosis.source_location().line(), 0);
}

TEST(Sample, AMessageIsOneLineOfValidJson) {
  const ProgramRun run = RunCase("fails_in_words");
  ExpectEnd(run, "COMPLETE", "COMPLETE", "FAIL");
  EXPECT_EQ(Only(run).diagnoses.at(0).message(), "expected \"much\",\nfound \xEF\xBF\xBD little");
}

TEST(Sample, ASkipKeepsItsReason) {
  const ProgramRun run = RunCase("skips");
  ExpectEnd(run, "SKIP", "SKIP", "NOT_APPLICABLE");
  EXPECT_EQ(Only(run).diagnoses.at(0).type(), "UNKNOWN");
  EXPECT_EQ(Only(run).diagnoses.at(0).verdict(), "skipped");
  EXPECT_EQ(Only(run).diagnoses.at(0).message(), "needs a bigger boat");
}

TEST(Sample, WhatTheToolCouldNotDoIsAnErrorAndNoFailure) {
  const std::pair<const char*, const char*> kErrors[] = {{"throws_tool_error", "no room on the bench"},
                                                         {"throws_anything", "surprise"},
                                                         {"throws_nothing_known", "Unknown C++ exception"},
                                                         {"records_tool_error", "half of it could not be read"},
                                                         {"measures_nan", "rate is"}};
  for (const auto& [name, message] : kErrors) {
    SCOPED_TRACE(name);
    const ProgramRun run = RunCase(name);
    ExpectEnd(run, "ERROR", "ERROR", "NOT_APPLICABLE");
    ASSERT_EQ(Only(run).errors.size(), 1u);
    EXPECT_THAT(Only(run).errors[0].message(), HasSubstr(message));
    EXPECT_EQ(Only(run).errors[0].message().find("[tool error]"), std::string::npos);
    EXPECT_TRUE(Only(run).diagnoses.empty());
    EXPECT_TRUE(Only(run).measurements.empty());
    EXPECT_NE(run.exit_status, 0);
  }
}

TEST(Sample, ADeviceFailureIsTheDevicesFault) {
  const ProgramRun run = RunCase("throws_device_failure");
  ExpectEnd(run, "COMPLETE", "COMPLETE", "FAIL");
  EXPECT_EQ(Only(run).diagnoses.at(0).message(), "the GPU is lost");
}

TEST(Sample, ABrokenValidatorIsADiagnosisNamedAfterTheMeasurement) {
  const ProgramRun run = RunCase("breaks_validator");
  ExpectEnd(run, "COMPLETE", "COMPLETE", "FAIL");
  EXPECT_EQ(Only(run).measurements.size(), 1u);
  EXPECT_EQ(Only(run).diagnoses.at(0).verdict(), "rate-out-of-range");
  EXPECT_EQ(Only(run).diagnoses.at(0).message(), "rate is 500 GB/s; expected at least 1.00 TB/s");
}

TEST(Sample, WhatATestPrintsIsNotInTheReport) { ExpectEnd(RunCase("prints"), "COMPLETE", "COMPLETE", "PASS"); }

TEST(Sample, ThreadsReportWholeLinesInOrder) {
  const ProgramRun run = RunCase("measures_in_threads");
  ExpectEnd(run, "COMPLETE", "COMPLETE", "FAIL");
  EXPECT_EQ(Only(run).measurements.size(), 200u);
  EXPECT_THAT(Only(run).diagnoses.at(0).message(), HasSubstr("thread three fails"));
}

TEST(Sample, EachDevicesRoundIsItsOwn) {
  const ProgramRun run = RunCase("each_device", kDevices);
  ExpectEnd(run, "COMPLETE", "COMPLETE", "FAIL");
  const auto& hardware = run.start.dut_info().hardware_infos();
  ASSERT_EQ(hardware.size(), 3);
  EXPECT_EQ(hardware[0].odata_id(), "GPU-good");
  EXPECT_EQ(hardware[0].name(), "NVIDIA H200");
  EXPECT_EQ(hardware[0].serial_number(), "1650");
  EXPECT_EQ(hardware[0].location(), "0000:41:00.0");
  const Step& step = Only(run);
  ASSERT_EQ(step.measurements.size(), 1u);
  EXPECT_EQ(step.measurements[0].hardware_info_id(), hardware[0].hardware_info_id());
  ASSERT_EQ(step.diagnoses.size(), 2u);
  EXPECT_EQ(step.diagnoses[0].type(), "FAIL");
  EXPECT_EQ(step.diagnoses[0].message(), "fell off the bus");
  EXPECT_EQ(step.diagnoses[0].hardware_info_id(), hardware[2].hardware_info_id());
  EXPECT_EQ(step.diagnoses[1].verdict(), "device-skipped");
  EXPECT_EQ(step.diagnoses[1].message(), "GPU-skipped: too small");
  ASSERT_GE(run.start.dut_info().software_infos().size(), 1);
}

TEST(Sample, WithoutADeviceADeviceLoopIsSkipped) {
  ExpectEnd(RunCase("each_device"), "SKIP", "SKIP", "NOT_APPLICABLE");
  ExpectEnd(RunCase("each_device", R"(MUSTER_DEVICES=[{"id": "GPU-skipped"}])"), "SKIP", "SKIP", "NOT_APPLICABLE");
}

TEST(Sample, ParametersAndNamesReachTheHeadOfTheReport) {
  const ProgramRun run = RunCase("reads_parameter");
  ExpectEnd(run, "COMPLETE", "COMPLETE", "PASS");
  EXPECT_EQ(run.start.name(), "sample");
  EXPECT_EQ(run.start.version(), "4");
  EXPECT_EQ(run.start.parameters().fields().at("size").number_value(), 4096);
}

TEST(Sample, AProgramCanStartItselfAgain) { ExpectEnd(RunCase("starts_itself"), "COMPLETE", "COMPLETE", "PASS"); }

TEST(Sample, AFailureOutsideOfACaseIsTheRunsError) {
  const ProgramRun run = RunProgram(MUSTER_SAMPLE_SUITE, {"MUSTER_CASES=BrokenSetUp.runs", "MUSTER_DEVICES=[]"});
  EXPECT_EQ(run.end.status(), "ERROR");
  EXPECT_EQ(run.run_errors.size(), 1u);
}

TEST(Sample, ACaseThatDoesNotExistIsNoPass) {
  const ProgramRun run = RunProgram(MUSTER_SAMPLE_SUITE, {"MUSTER_CASES=sample.nothing", "MUSTER_DEVICES=[]"});
  EXPECT_TRUE(run.steps.empty());
  EXPECT_EQ(run.end.status(), "SKIP");
}

TEST(Sample, ByHandItPrintsAsGoogleTestDoes) {
  const auto [status, text] = RunForText(MUSTER_SAMPLE_SUITE, {"PATH=/usr/bin:/bin"}, {"--gtest_filter=sample.passes"});
  EXPECT_EQ(status, 0);
  EXPECT_THAT(text, HasSubstr("[       OK ] sample.passes"));
  EXPECT_THAT(text, HasSubstr("1.50 TB/s"));
  EXPECT_EQ(text.find("schemaVersion"), std::string::npos);
}

TEST(Sample, AnEnvironmentThatIsNotUnderstoodEndsIt) {
  const auto [status, text] = RunForText(MUSTER_SAMPLE_SUITE, {"MUSTER_LEVEL=nine"}, {});
  EXPECT_EQ(status, 3);
}

}  // namespace
}  // namespace muster::sdk::testing
