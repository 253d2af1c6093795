#include "suites/sdk/measurement.h"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "suites/sdk/outcome.h"
#include "suites/sdk/report_fake.h"
#include "suites/sdk/session.h"

namespace muster::sdk {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

class MeasurementTest : public testing::Test {
 protected:
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const MeasurementRecord& one : report_.measurements) names.push_back(one.name);
    return names;
  }

  const Environment environment_;
  ReportFake report_;
  Session session_{environment_, report_};
};

TEST_F(MeasurementTest, IsReportedAtTheEndOfItsStatement) {
  v1::Device device;
  device.set_id("GPU-1");
  Measure("rate", 2.5e9, "B/s").OnDevice(device).OfPart("engine 0").AtLeast(1e9).AtMost(3e9);
  ASSERT_EQ(report_.measurements.size(), 1u);
  const MeasurementRecord& record = report_.measurements[0];
  EXPECT_EQ(record.name, "rate");
  EXPECT_EQ(std::get<double>(record.value), 2.5e9);
  EXPECT_EQ(record.unit, "B/s");
  EXPECT_EQ(record.device_id, "GPU-1");
  EXPECT_EQ(record.subcomponent, "engine 0");
  EXPECT_THAT(record.validators, ElementsAre(Field(&Validator::type, "GREATER_THAN_OR_EQUAL"),
                                             Field(&Validator::type, "LESS_THAN_OR_EQUAL")));
}

TEST_F(MeasurementTest, LimitsAreInclusiveOrNotAsTheirNameSays) {
  Measure("a", 1, "1").AtLeast(1).AtMost(1).ExpectEqual(1);
  EXPECT_NONFATAL_FAILURE(Measure("a", 1, "1").MoreThan(1), "a is 1; expected more than 1");
  EXPECT_NONFATAL_FAILURE(Measure("a", 1, "1").LessThan(1), "a is 1; expected less than 1");
  EXPECT_NONFATAL_FAILURE(Measure("a", 1, "1").AtLeast(2), "a is 1; expected at least 2");
  EXPECT_NONFATAL_FAILURE(Measure("a", 1, "1").AtMost(0), "a is 1; expected at most 0");
  EXPECT_NONFATAL_FAILURE(Measure("a", 1, "1").ExpectEqual(2), "a is 1; expected 2");
}

TEST_F(MeasurementTest, TextAndTruthAreComparedAsSuch) {
  MeasureText("version", "580").ExpectEqual(std::string("580"));
  EXPECT_NONFATAL_FAILURE(MeasureText("version", "580").ExpectEqual(std::string("570")),
                          "version is \"580\"; expected \"570\"");
  MeasureTruth("enabled", true).ExpectTrue();
  EXPECT_NONFATAL_FAILURE(MeasureTruth("enabled", false).ExpectTrue(), "enabled is false; expected true");
  EXPECT_NONFATAL_FAILURE(MeasureText("version", "580").AtLeast(1), "expected at least 1");
}

TEST_F(MeasurementTest, IsOfTheDeviceOfItsRound) {
  const FailureContext round("GPU-7");
  Measure("a", 1, "1");
  EXPECT_EQ(report_.measurements.at(0).device_id, "GPU-7");
}

TEST_F(MeasurementTest, WhatIsNoNumberIsAToolErrorAndNotReported) {
  EXPECT_NONFATAL_FAILURE(Measure("a", std::nan(""), "1"), "[tool error] a is nan");
  EXPECT_NONFATAL_FAILURE(Measure("a", std::numeric_limits<double>::infinity(), "1"), "[tool error] a is inf");
  EXPECT_THAT(report_.measurements, ElementsAre());
  EXPECT_THROW(Measure("b", 1, "1").AtLeast(std::nan("")), ToolError);
}

TEST_F(MeasurementTest, WorkHasItsKindInItsName) {
  ReportWork("bytes", 10);
  ReportWork("flop", 20);
  ReportWork("iterations", 30);
  EXPECT_THAT(Names(), ElementsAre("work.bytes", "work.flop", "work.iterations"));
  EXPECT_EQ(report_.measurements[0].unit, "B");
  EXPECT_EQ(std::get<double>(report_.measurements[1].value), 20);
}

TEST_F(MeasurementTest, ShareStandsBesideValueAndExpectation) {
  MeasureShare("rate", 90, "B/s", 100, 0.8);
  EXPECT_THAT(Names(), ElementsAre("rate", "rate.expected", "rate.share"));
  EXPECT_DOUBLE_EQ(std::get<double>(report_.measurements[2].value), 0.9);
  EXPECT_NONFATAL_FAILURE(MeasureShare("rate", 70, "B/s", 100, 0.8), "rate.share is 0.7; expected at least 0.8");
  MeasureShare("rate", 10, "B/s", 100, 0);
}

TEST(MeasureShareOfSimulatedDevices, IsNotJudged) {
  Environment environment;
  environment.devices.emplace_back().set_simulated(true);
  ReportFake report;
  const Session session(environment, report);
  MeasureShare("rate", 1, "B/s", 100, 0.8);
  MeasureShare("rate", 120, "B/s", 100, 0.8);
  EXPECT_EQ(report.measurements.size(), 6u);
}

TEST_F(MeasurementTest, WithoutExpectationThereIsNoShareAndALogSaysSo) {
  MeasureShare("rate", 70, "B/s", std::nullopt, 0.8);
  EXPECT_THAT(Names(), ElementsAre("rate"));
  ASSERT_EQ(report_.logs.size(), 1u);
  EXPECT_THAT(report_.logs[0].second, HasSubstr("does not say what to expect"));
}

TEST_F(MeasurementTest, BrokenFloorsAndImpossibleSharesAreToolErrors) {
  EXPECT_NONFATAL_FAILURE(MeasureShare("rate", 90, "B/s", 100, 0.3), "[tool error] the floor of rate");
  EXPECT_NONFATAL_FAILURE(MeasureShare("rate", 90, "B/s", 100, 1.2), "[tool error] the floor of rate");
  EXPECT_NONFATAL_FAILURE(MeasureShare("rate", 120, "B/s", 100, 0.8),
                          "[tool error] rate is 120 B/s, more than the 100 B/s");
}

TEST(Session, IsNeeded) { EXPECT_THROW(Session::Current(), ToolError); }

}  // namespace
}  // namespace muster::sdk
