// What every Store must do. A backend's test instantiates it with a type that has
//
//   Store& store();
//   void Restart();   // As after a crash: only what was committed is left.
#ifndef MUSTER_COORDINATOR_STORE_STORE_CONTRACT_TEST_H_
#define MUSTER_COORDINATOR_STORE_STORE_CONTRACT_TEST_H_

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "coordinator/store/store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::coordinator {

inline v1::Run MakeRun(const std::string& id, v1::RunState state = v1::RUN_STATE_ACTIVE) {
  v1::Run run;
  run.set_id(id);
  run.mutable_plan()->set_name("smoke");
  run.set_state(state);
  return run;
}

inline v1::Job MakeJob(const std::string& run_id, int number) {
  v1::Job job;
  job.set_id(absl::StrCat(run_id, "/", number));
  job.set_run_id(run_id);
  job.set_machine("m1");
  job.mutable_spec()->set_suite("bench");
  job.set_state(v1::JOB_STATE_QUEUED);
  return job;
}

inline v1::Attempt MakeAttempt(const std::string& job_id, uint32_t attempt, uint64_t through = 0) {
  v1::Attempt made;
  made.mutable_ref()->set_job_id(job_id);
  made.mutable_ref()->set_attempt(attempt);
  made.mutable_ref()->set_epoch(attempt);
  made.set_through_sequence(through);
  return made;
}

inline CaseRow MakeCase(const std::string& job_id, uint32_t attempt, const std::string& name, v1::Verdict verdict) {
  CaseRow row{.job_id = job_id, .attempt = attempt};
  row.result.set_case_name(name);
  row.result.set_verdict(verdict);
  return row;
}

inline MeasurementRow MakeMeasurement(const std::string& job_id, uint32_t attempt, uint64_t sequence, double number) {
  MeasurementRow row{.job_id = job_id, .attempt = attempt, .sequence = sequence};
  row.measurement.set_name("rate");
  row.measurement.set_unit("GB/s");
  row.measurement.set_case_name("copy");
  row.measurement.set_device_id("GPU-1");
  row.measurement.set_number(number);
  row.measurement.set_valid(true);
  row.measurement.set_time_unix_ms(1'800'000'000'000);
  return row;
}

inline constexpr char kRun[] = "r-0000000000001";
inline constexpr char kLaterRun[] = "r-0000000000002";

template <typename Backend>
class StoreContract : public ::testing::Test {
 protected:
  void Commit(const WriteBatch& batch) { ASSERT_TRUE(backend_.store().Commit(batch).ok()); }
  Backend backend_;
};
TYPED_TEST_SUITE_P(StoreContract);

TYPED_TEST_P(StoreContract, AnEmptyStoreLoads) {
  const absl::StatusOr<Snapshot> snapshot = this->backend_.store().Load();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_TRUE(snapshot->machines.empty());
  EXPECT_EQ(snapshot->last_epoch, 0u);
  EXPECT_TRUE(absl::IsNotFound(this->backend_.store().ReadRun(kRun).status()));
  EXPECT_TRUE(absl::IsNotFound(this->backend_.store().ReadJob("r-0000000000001/1").status()));
}

TYPED_TEST_P(StoreContract, WhatIsCommittedSurvives) {
  WriteBatch batch;
  MachineRecord machine{.enrolled_unix_ms = 5, .last_seen_unix_ms = 6};
  machine.machine.set_name("m1");
  machine.suites.emplace_back().set_name("bench");
  machine.suite_problems.push_back("suite x: broken");
  machine.health.add_devices()->set_state(v1::HEALTH_STATE_FAILED);
  batch.machines.push_back(machine);
  batch.tokens.push_back(
      {.id = "t", .secret_sha256_hex = "ab", .role = v1::ROLE_AGENT, .bound_name = "m1", .used_by = "m1"});
  batch.runs.push_back(MakeRun(kRun));
  batch.jobs.push_back(MakeJob(kRun, 1));
  batch.attempts.push_back(MakeAttempt("r-0000000000001/1", 1, 7));
  batch.cases.push_back(MakeCase("r-0000000000001/1", 1, "copy", v1::PASSED));
  batch.last_epoch = 9;
  this->Commit(batch);
  this->backend_.Restart();

  const absl::StatusOr<Snapshot> snapshot = this->backend_.store().Load();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  ASSERT_EQ(snapshot->machines.size(), 1u);
  EXPECT_EQ(snapshot->machines[0].suites[0].name(), "bench");
  EXPECT_EQ(snapshot->machines[0].suite_problems[0], "suite x: broken");
  EXPECT_EQ(snapshot->machines[0].last_seen_unix_ms, 6);
  ASSERT_EQ(snapshot->machines[0].health.devices_size(), 1);
  EXPECT_EQ(snapshot->machines[0].health.devices(0).state(), v1::HEALTH_STATE_FAILED);
  ASSERT_EQ(snapshot->tokens.size(), 1u);
  EXPECT_EQ(snapshot->tokens[0].role, v1::ROLE_AGENT);
  EXPECT_EQ(snapshot->tokens[0].used_by, "m1");
  ASSERT_EQ(snapshot->active_runs.size(), 1u);
  ASSERT_EQ(snapshot->jobs.size(), 1u);
  EXPECT_EQ(snapshot->jobs[0].attempts(0).through_sequence(), 7u);
  EXPECT_EQ(snapshot->jobs[0].attempts(0).results(0).case_name(), "copy");
  EXPECT_EQ(snapshot->last_epoch, 9u);
}

inline QuarantineRow MakeQuarantine(const std::string& device, const std::string& reason, bool released = false) {
  QuarantineRow row{.released = released};
  row.quarantine.set_machine("m1");
  row.quarantine.set_device_id(device);
  row.quarantine.set_reason(reason);
  row.quarantine.set_author("ann");
  row.quarantine.set_since_unix_ms(7);
  return row;
}

TYPED_TEST_P(StoreContract, QuarantinesLastUntilTheyAreReleased) {
  WriteBatch batch;
  EXPECT_TRUE(batch.empty());
  batch.quarantines = {MakeQuarantine("", "moved"), MakeQuarantine("g1", "hot"), MakeQuarantine("g1", "hotter"),
                       MakeQuarantine("g2", "cold"), MakeQuarantine("g2", "cold", true)};
  EXPECT_FALSE(batch.empty());
  this->Commit(batch);
  this->backend_.Restart();
  absl::StatusOr<Snapshot> snapshot = this->backend_.store().Load();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  ASSERT_EQ(snapshot->quarantines.size(), 2u);
  EXPECT_EQ(snapshot->quarantines[0].ShortDebugString(), MakeQuarantine("", "moved").quarantine.ShortDebugString());
  EXPECT_EQ(snapshot->quarantines[1].ShortDebugString(), MakeQuarantine("g1", "hotter").quarantine.ShortDebugString());

  WriteBatch later;
  later.quarantines = {MakeQuarantine("", "moved", true), MakeQuarantine("g3", "never there", true)};
  this->Commit(later);
  this->backend_.Restart();
  snapshot = this->backend_.store().Load();
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  ASSERT_EQ(snapshot->quarantines.size(), 1u);
  EXPECT_EQ(snapshot->quarantines[0].device_id(), "g1");
}

TYPED_TEST_P(StoreContract, RecordsReplaceThoseOfTheSameKey) {
  WriteBatch batch;
  batch.runs.push_back(MakeRun(kRun));
  batch.jobs.push_back(MakeJob(kRun, 1));
  batch.attempts.push_back(MakeAttempt("r-0000000000001/1", 1, 1));
  batch.cases.push_back(MakeCase("r-0000000000001/1", 1, "copy", v1::MISSED));
  batch.last_epoch = 1;
  this->Commit(batch);
  WriteBatch second;
  second.runs.push_back(MakeRun(kRun, v1::RUN_STATE_FINISHED));
  second.jobs.push_back(MakeJob(kRun, 1));
  second.jobs[0].set_state(v1::JOB_STATE_FINISHED);
  second.attempts.push_back(MakeAttempt("r-0000000000001/1", 1, 2));
  second.cases.push_back(MakeCase("r-0000000000001/1", 1, "copy", v1::PASSED));
  this->Commit(second);
  const absl::StatusOr<StoredRun> run = this->backend_.store().ReadRun(kRun);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->run.state(), v1::RUN_STATE_FINISHED);
  ASSERT_EQ(run->jobs.size(), 1u);
  EXPECT_EQ(run->jobs[0].state(), v1::JOB_STATE_FINISHED);
  ASSERT_EQ(run->jobs[0].attempts_size(), 1);
  EXPECT_EQ(run->jobs[0].attempts(0).through_sequence(), 2u);
  ASSERT_EQ(run->jobs[0].attempts(0).results_size(), 1);
  EXPECT_EQ(run->jobs[0].attempts(0).results(0).verdict(), v1::PASSED);
  EXPECT_TRUE(this->backend_.store().Load()->active_runs.empty());
  EXPECT_EQ(this->backend_.store().Load()->last_epoch, 1u);
}

TYPED_TEST_P(StoreContract, JobsComeInTheOrderOfTheirNumbers) {
  WriteBatch batch;
  batch.runs.push_back(MakeRun(kRun));
  for (int number : {12, 2, 1, 100}) batch.jobs.push_back(MakeJob(kRun, number));
  batch.runs.push_back(MakeRun(kLaterRun));
  batch.jobs.push_back(MakeJob(kLaterRun, 1));
  this->Commit(batch);
  std::vector<std::string> ids;
  const absl::StatusOr<StoredRun> run = this->backend_.store().ReadRun(kRun);
  ASSERT_TRUE(run.ok()) << run.status();
  for (const v1::Job& job : run->jobs) ids.push_back(job.id());
  EXPECT_THAT(ids, ::testing::ElementsAre("r-0000000000001/1", "r-0000000000001/2", "r-0000000000001/12",
                                          "r-0000000000001/100"));
}

TYPED_TEST_P(StoreContract, MeasurementsComeBackAsTheyWere) {
  WriteBatch batch;
  batch.runs.push_back(MakeRun(kRun));
  batch.jobs.push_back(MakeJob(kRun, 1));
  batch.attempts = {MakeAttempt("r-0000000000001/1", 1), MakeAttempt("r-0000000000001/1", 2)};
  std::vector<MeasurementRow>& rows = batch.measurements;
  rows.push_back(MakeMeasurement("r-0000000000001/1", 2, 1, 0.1));
  rows.push_back(MakeMeasurement("r-0000000000001/1", 1, 3, std::numeric_limits<double>::infinity()));
  rows.push_back(MakeMeasurement("r-0000000000001/1", 1, 2, 3));
  rows.push_back(MakeMeasurement("r-0000000000001/1", 1, 4, 0));
  rows.back().measurement.set_text("a");
  rows.push_back(MakeMeasurement("r-0000000000001/1", 1, 5, 0));
  rows.back().measurement.set_boolean(false);
  rows.push_back(MakeMeasurement("r-0000000000001/1", 1, 6, 0));
  rows.back().measurement.clear_value();
  rows.back().measurement.set_series_index(0);
  rows.push_back(MakeMeasurement("r-0000000000001/1", 1, 7, 1));
  rows.back().measurement.add_validators()->set_type("EQUAL");
  rows.back().measurement.set_valid(false);
  rows.push_back(MakeMeasurement("r-0000000000001/1", 1, 8, std::nan("")));
  this->Commit(batch);
  WriteBatch again;
  again.measurements = {rows[2]};  // The same event twice is one row.
  this->Commit(again);

  const auto read = this->backend_.store().ReadMeasurements(kRun);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at(0).attempt(), 1u);
  ASSERT_EQ(read->at(0).measurements_size(), 7);
  std::vector<const MeasurementRow*> expected = {&rows[2], &rows[1], &rows[3], &rows[4], &rows[5], &rows[6], &rows[7]};
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(read->at(0).measurements(i).ShortDebugString(), expected[i]->measurement.ShortDebugString());
  }
  EXPECT_EQ(read->at(1).measurements(0).number(), 0.1);
}

TYPED_TEST_P(StoreContract, RunsAreListedNewestFirst) {
  WriteBatch batch;
  for (const char* id : {"r-0000000000001", "r-0000000000003", "r-0000000000002"}) batch.runs.push_back(MakeRun(id));
  batch.runs[2].mutable_plan()->set_name("other");
  this->Commit(batch);
  Store& store = this->backend_.store();
  const auto ids = [](const absl::StatusOr<std::vector<v1::Run>>& runs) {
    std::string text;
    for (const v1::Run& run : *runs) text += run.id().back();
    return text;
  };
  EXPECT_EQ(ids(store.ListRuns(10, "", "")), "321");
  EXPECT_EQ(ids(store.ListRuns(2, "", "")), "32");
  EXPECT_EQ(ids(store.ListRuns(10, "r-0000000000003", "")), "21");
  EXPECT_EQ(ids(store.ListRuns(10, "", "smoke")), "31");
  EXPECT_THAT(*store.FindRuns("r-00000", 2), ::testing::ElementsAre("r-0000000000003", "r-0000000000002"));
  EXPECT_THAT(*store.FindRuns("r-0000000000002", 2), ::testing::ElementsAre("r-0000000000002"));
  EXPECT_TRUE(store.FindRuns("r-1", 2)->empty());
}

TYPED_TEST_P(StoreContract, TheLastRunOfEachPlanIsFound) {
  WriteBatch batch;
  for (const char* id : {"r-0000000000001", "r-0000000000002", "r-0000000000003", "r-0000000000004"}) {
    batch.runs.push_back(MakeRun(id, v1::RUN_STATE_FINISHED));
  }
  batch.runs[3].set_state(v1::RUN_STATE_ACTIVE);
  batch.runs[0].mutable_plan()->set_name("other");
  this->Commit(batch);
  const auto last = this->backend_.store().LastRuns(10);
  ASSERT_TRUE(last.ok()) << last.status();
  ASSERT_EQ(last->size(), 2u);
  EXPECT_EQ(last->at(0).id(), "r-0000000000003");
  EXPECT_EQ(last->at(1).id(), "r-0000000000001");
  EXPECT_EQ(this->backend_.store().LastRuns(1)->size(), 1u);
}

TYPED_TEST_P(StoreContract, AJobIsReadWithItsAttempts) {
  WriteBatch batch;
  batch.runs.push_back(MakeRun(kRun, v1::RUN_STATE_FINISHED));
  batch.jobs.push_back(MakeJob(kRun, 1));
  batch.attempts = {MakeAttempt("r-0000000000001/1", 1), MakeAttempt("r-0000000000001/1", 2)};
  batch.cases.push_back(MakeCase("r-0000000000001/1", 2, "copy", v1::FAILED));
  this->Commit(batch);
  const absl::StatusOr<v1::Job> job = this->backend_.store().ReadJob("r-0000000000001/1");
  ASSERT_TRUE(job.ok()) << job.status();
  ASSERT_EQ(job->attempts_size(), 2);
  EXPECT_EQ(job->attempts(0).results_size(), 0);
  EXPECT_EQ(job->attempts(1).results(0).verdict(), v1::FAILED);
}

REGISTER_TYPED_TEST_SUITE_P(StoreContract, AnEmptyStoreLoads, WhatIsCommittedSurvives,
                            QuarantinesLastUntilTheyAreReleased, RecordsReplaceThoseOfTheSameKey,
                            JobsComeInTheOrderOfTheirNumbers, MeasurementsComeBackAsTheyWere, RunsAreListedNewestFirst,
                            TheLastRunOfEachPlanIsFound, AJobIsReadWithItsAttempts);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_STORE_CONTRACT_TEST_H_
