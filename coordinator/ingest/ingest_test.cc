#include "coordinator/ingest/ingest.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class IngestTest : public ::testing::Test, public IngestSink {
 protected:
  IngestTest() {
    attempt_.attempt.mutable_ref()->set_job_id("r-0000000000001/1");
    attempt_.attempt.mutable_ref()->set_attempt(2);
  }
  WriteBatch& batch() override { return batch_; }
  void OnMeasurement(const AttemptRecord&, const v1::Measurement& m) override { seen_.push_back(m.name()); }
  void OnCaseStarted(AttemptRecord&) override { seen_.push_back("started"); }
  void OnCaseFinished(AttemptRecord&, v1::CaseResult result) override { seen_.push_back(result.case_name()); }
  void OnJobFinished(AttemptRecord&) override { seen_.push_back("end"); }

  v1::Event& Add(uint64_t sequence) {
    v1::Event& event = *events_.add_events();
    event.set_sequence(sequence);
    event.set_time_unix_ms(1'000 + static_cast<int64_t>(sequence));
    return event;
  }
  void AddMeasurement(uint64_t sequence, const std::string& name) {
    Add(sequence).mutable_measurement()->set_name(name);
  }
  Ingested Go() {
    const Ingested counts = Ingest(events_, attempt_, *this);
    events_.Clear();
    return counts;
  }

  v1::EventBatch events_;
  AttemptRecord attempt_;
  WriteBatch batch_;
  std::vector<std::string> seen_;
};

TEST_F(IngestTest, EachOnceInOrder) {
  AddMeasurement(1, "a");
  AddMeasurement(2, "b");
  AddMeasurement(2, "again");
  AddMeasurement(4, "early");
  AddMeasurement(3, "c");
  const Ingested counts = Go();
  EXPECT_EQ(counts.taken, 3u);
  EXPECT_EQ(counts.duplicates, 1u);
  EXPECT_EQ(counts.after_gap, 1u);
  EXPECT_EQ(counts.measurements, 3u);
  EXPECT_THAT(seen_, ElementsAre("a", "b", "c"));
  EXPECT_EQ(attempt_.attempt.through_sequence(), 3u);
  ASSERT_EQ(batch_.measurements.size(), 3u);
  EXPECT_EQ(batch_.measurements[2].job_id, "r-0000000000001/1");
  EXPECT_EQ(batch_.measurements[2].attempt, 2u);
  EXPECT_EQ(batch_.measurements[2].sequence, 3u);
  EXPECT_EQ(batch_.measurements[2].measurement.name(), "c");
}

TEST_F(IngestTest, ZeroIsNoNumber) {
  AddMeasurement(0, "zero");
  EXPECT_EQ(Go().duplicates, 1u);
}

TEST_F(IngestTest, TheEndIsTheEnd) {
  v1::JobFinished& end = *Add(1).mutable_job_finished();
  end.set_fate(v1::FATE_COMPLETED);
  end.set_detail("well");
  end.set_exit_code(0);
  end.set_dropped_events(3);
  end.add_findings("odd");
  AddMeasurement(2, "late");
  EXPECT_EQ(Go().taken, 1u);
  EXPECT_THAT(seen_, ElementsAre("end"));
  EXPECT_EQ(attempt_.attempt.fate(), v1::FATE_COMPLETED);
  EXPECT_TRUE(attempt_.attempt.has_exit_code());
  EXPECT_EQ(attempt_.attempt.dropped_events(), 3u);
  EXPECT_EQ(attempt_.attempt.finished_unix_ms(), 1'001);
  EXPECT_THAT(attempt_.attempt.findings(), ElementsAre("odd"));
}

TEST_F(IngestTest, AnEndThatSaysNothingIsNoGoodEnd) {
  Add(1).mutable_job_finished();
  Go();
  EXPECT_EQ(attempt_.attempt.fate(), v1::FATE_AGENT_RESTARTED);
}

TEST_F(IngestTest, NoAgentQuarantinesItself) {
  Add(1).mutable_job_finished()->set_fate(v1::FATE_QUARANTINED);
  Go();
  EXPECT_EQ(attempt_.attempt.fate(), v1::FATE_AGENT_RESTARTED) << "its missing cases would be SKIPPED, and green";
}

TEST_F(IngestTest, RunningCasesAreKnown) {
  Add(1).mutable_case_started()->set_case_name("copy");
  Add(2).mutable_case_started()->set_case_name("gemm");
  Add(3).mutable_case_finished()->set_case_name("copy");
  Go();
  ASSERT_EQ(attempt_.running.size(), 1u);
  EXPECT_EQ(attempt_.running[0].case_name(), "gemm");
  EXPECT_EQ(attempt_.running[0].started_unix_ms(), 1'002);
}

TEST_F(IngestTest, NamesThatAreNoneAreCountedAndDropped) {
  Add(1).mutable_case_finished()->set_case_name("../x");
  Add(2).mutable_artifact()->set_name("a/b");
  Add(3).mutable_artifact()->set_name("a");
  Add(4);  // Nothing that this release knows.
  EXPECT_EQ(Go().taken, 4u);
  EXPECT_TRUE(seen_.empty());
  EXPECT_EQ(batch_.artifacts.size(), 1u);
  EXPECT_THAT(attempt_.attempt.findings(),
              ElementsAre(HasSubstr("a result was dropped"), HasSubstr("an artifact was dropped")));
}

TEST_F(IngestTest, DropsAreCounted) {
  Add(1).mutable_events_dropped()->set_count(2);
  Add(2).mutable_events_dropped()->set_count(3);
  Go();
  EXPECT_EQ(attempt_.attempt.dropped_events(), 5u);
}

}  // namespace
}  // namespace muster::coordinator
