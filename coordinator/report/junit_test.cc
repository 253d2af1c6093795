#include "coordinator/report/junit.h"

#include <gtest/gtest.h>

#include <pugixml.hpp>
#include <string>

#include "coordinator/report/run_report_fake.h"

namespace muster::coordinator {
namespace {

class JunitTest : public ::testing::Test {
 protected:
  void Write(const RunReport& report) {
    xml_ = JunitXml(report);
    const pugi::xml_parse_result parsed = document_.load_buffer(xml_.data(), xml_.size());
    ASSERT_TRUE(parsed) << parsed.description() << "\n" << xml_;
  }
  pugi::xml_node Suite(const char* name) {
    return document_.child("testsuites").find_child_by_attribute("testsuite", "name", name);
  }
  pugi::xml_node Case(int verdict) {
    return Suite("selftest@node-1/GPU-1")
        .find_child_by_attribute("testcase", "name", ("case-" + std::to_string(verdict)).c_str());
  }

  std::string xml_;
  pugi::xml_document document_;
};

TEST_F(JunitTest, EachVerdictIsTypedAndCounted) {
  Write(FakeReport());
  for (const v1::Verdict passed : {v1::PASSED, v1::FIXED, v1::FLAKY}) {
    EXPECT_TRUE(Case(passed)) << passed;
    EXPECT_FALSE(Case(passed).first_child()) << passed;
  }
  for (const v1::Verdict failed : {v1::FAILED, v1::VACUOUS}) {
    EXPECT_EQ(Case(failed).child("failure").attribute("type").value(), v1::Verdict_Name(failed));
  }
  for (const v1::Verdict error : {v1::ERROR, v1::CRASHED, v1::TIMED_OUT, v1::CANCELLED, v1::MISSED}) {
    EXPECT_EQ(Case(error).child("error").attribute("type").value(), v1::Verdict_Name(error));
  }
  for (const v1::Verdict skipped : {v1::SKIPPED, v1::KNOWN_ISSUE}) {
    EXPECT_EQ(Case(skipped).child("skipped").attribute("type").value(), v1::Verdict_Name(skipped));
  }
  EXPECT_STREQ(Case(v1::SKIPPED).child("skipped").attribute("message").value(), "because <&> \"it\" is so");

  const pugi::xml_node suite = Suite("selftest@node-1/GPU-1");
  EXPECT_EQ(suite.attribute("tests").as_int(), 12);
  EXPECT_EQ(suite.attribute("failures").as_int(), 2);
  EXPECT_EQ(suite.attribute("errors").as_int(), 5);
  EXPECT_EQ(suite.attribute("skipped").as_int(), 2);
  EXPECT_EQ(document_.child("testsuites").attribute("tests").as_int(), 13);
}

TEST_F(JunitTest, AFailureSaysHowItsDevicesWere) {
  RunReport report = FakeReport();
  for (v1::Job& job : report.stored.jobs) {
    for (v1::Attempt& attempt : *job.mutable_attempts()) {
      for (v1::CaseResult& result : *attempt.mutable_results()) {
        result.mutable_context()->add_events()->set_code("nvidia.xid.31");
      }
    }
  }
  Write(report);
  const std::string text = Case(v1::FAILED).child("failure").text().get();
  EXPECT_NE(text.find("\nmeanwhile: events: nvidia.xid.31"), std::string::npos) << text;
}

TEST_F(JunitTest, ASuiteSaysWhereItRanAndWhatItMeasured) {
  Write(FakeReport());
  const pugi::xml_node suite = Suite("benchmark@node-1/GPU-1");
  ASSERT_TRUE(suite) << xml_;
  const auto property = [&suite](const char* name) {
    return std::string(
        suite.child("properties").find_child_by_attribute("property", "name", name).attribute("value").value());
  };
  EXPECT_EQ(property("device.0.model"), "NVIDIA H200");
  EXPECT_EQ(property("device.0.driver_version"), "580.159.04");
  EXPECT_EQ(property("suite_version"), "1.2");
  EXPECT_EQ(property("parameter.seconds"), "5");
  EXPECT_EQ(property("fate"), "COMPLETED");
  EXPECT_STREQ(suite.attribute("time").value(), "5.000");
  EXPECT_STREQ(suite.attribute("timestamp").value(), Rfc3339(kFakeStart + 500).c_str());
  EXPECT_STREQ(suite.child("testcase").attribute("time").value(), "0.250");
  const std::string measured = suite.child("testcase").child("system-out").text().get();
  EXPECT_NE(measured.find("copy.bandwidth = 4370000000000 B/s on GPU-1, GREATER_THAN_OR_EQUAL 4000000000000: holds"),
            std::string::npos)
      << measured;
  EXPECT_NE(measured.find("copy.sample[2] = "), std::string::npos);
}

TEST_F(JunitTest, AnyBytesGiveWellFormedXml) {
  RunReport report = FakeReport();
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  v1::CaseResult& result = *report.stored.jobs[1].mutable_attempts(0)->mutable_results(1);
  result.set_reason(bytes + "]]>");
  Write(report);
  EXPECT_NE(std::string(Case(v1::FAILED).child("failure").attribute("message").value()).find("]]>"), std::string::npos);
  for (const char c : xml_) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t' || c == '\r');
}

TEST_F(JunitTest, OnlyTheNewestAttemptCounts) {
  RunReport report = FakeReport();
  v1::Attempt& second = *report.stored.jobs[0].add_attempts();
  second.mutable_ref()->set_attempt(2);
  second.set_fate(v1::FATE_LEASE_LOST);
  Write(report);
  const pugi::xml_node test = Suite("benchmark@node-1/GPU-1").child("testcase");
  EXPECT_STREQ(test.child("error").attribute("type").value(), "MISSED");
  EXPECT_FALSE(test.child("system-out")) << "measurements of an attempt that does not count";
}

TEST_F(JunitTest, ABrokenJobWithoutCasesIsNotGreen) {
  RunReport report = FakeReport();
  report.stored.jobs[0].clear_expected();
  v1::Attempt& attempt = *report.stored.jobs[0].mutable_attempts(0);
  attempt.clear_results();
  attempt.set_fate(v1::FATE_REFUSED);
  attempt.set_detail("no such suite");
  Write(report);
  const pugi::xml_node suite = Suite("benchmark@node-1/GPU-1");
  EXPECT_EQ(suite.attribute("errors").as_int(), 1);
  EXPECT_STREQ(suite.child("testcase").child("error").attribute("message").value(), "REFUSED: no such suite");
}

TEST_F(JunitTest, WhatIsKeptAwaySaysWhy) {
  RunReport report = FakeReport();
  v1::Attempt& attempt = *report.stored.jobs[0].mutable_attempts(0);
  attempt.set_fate(v1::FATE_QUARANTINED);
  attempt.clear_results();
  AddFakeResult(attempt, "memory.copy", v1::SKIPPED, "GPU 0 is in quarantine: hot");
  Write(report);
  pugi::xml_node suite = Suite("benchmark@node-1/GPU-1");
  EXPECT_EQ(suite.attribute("errors").as_int(), 0);
  EXPECT_STREQ(suite.child("testcase").child("skipped").attribute("message").value(), "GPU 0 is in quarantine: hot");
  attempt.set_fate(v1::FATE_WITHHELD);
  attempt.mutable_results(0)->set_outcome(v1::MISSED);
  attempt.mutable_results(0)->set_verdict(v1::MISSED);
  Write(report);
  suite = Suite("benchmark@node-1/GPU-1");
  EXPECT_EQ(suite.attribute("errors").as_int(), 1);
  EXPECT_STREQ(suite.child("testcase").child("error").attribute("message").value(), "GPU 0 is in quarantine: hot");
}

TEST_F(JunitTest, ASimulatedDeviceIsMarked) {
  RunReport report = FakeReport();
  report.machines["node-1"].mutable_devices(0)->set_simulated(true);
  Write(report);
  const pugi::xml_node mark = Suite("benchmark@node-1/GPU-1")
                                  .child("properties")
                                  .find_child_by_attribute("property", "name", "device.0.simulated");
  EXPECT_STREQ(mark.attribute("value").value(), "true");
}

TEST_F(JunitTest, TheSameRunGivesTheSameBytes) { EXPECT_EQ(JunitXml(FakeReport()), JunitXml(FakeReport())); }

}  // namespace
}  // namespace muster::coordinator
