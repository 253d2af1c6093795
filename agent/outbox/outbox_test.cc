#include "agent/outbox/outbox.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file_system_fake.h"

namespace muster::agent {
namespace {

v1::JobRef Ref(const std::string& job, uint64_t epoch = 1) {
  v1::JobRef ref;
  ref.set_job_id(job);
  ref.set_attempt(1);
  ref.set_epoch(epoch);
  return ref;
}
v1::Event CaseEvent(const std::string& name) {
  v1::Event event;
  event.mutable_case_finished()->set_case_name(name);
  return event;
}
v1::Event LogEvent(size_t size) {
  v1::Event event;
  event.mutable_log()->set_data(std::string(size, 'l'));
  return event;
}
v1::Event MeasurementEvent(const std::string& name) {
  v1::Event event;
  event.mutable_measurement()->set_name(name);
  return event;
}
v1::Event FinishEvent() {
  v1::Event event;
  event.mutable_job_finished()->set_fate(v1::FATE_COMPLETED);
  return event;
}

class OutboxTest : public testing::Test {
 protected:
  OutboxTest() { Open(); }

  void Open() {
    outbox_.reset();
    auto opened =
        Outbox::Open(files_, {.directory = "d", .limit_bytes = limit_bytes_, .segment_bytes = segment_bytes_});
    ASSERT_TRUE(opened.ok()) << opened.status();
    outbox_ = *std::move(opened);
  }
  void CrashAndOpen() {
    outbox_.reset();
    files_.Crash();
    Open();
  }
  // What one turn of the loop does.
  void Sync() {
    const std::optional<SyncJob> job = outbox_->BeginSync();
    if (!job) return;
    ASSERT_TRUE(job->Run().ok());
    outbox_->EndSync(*job);
  }
  void AcceptAndSync(const v1::JobRef& ref) {
    ASSERT_TRUE(outbox_->Accept(ref, {}).ok());
    Sync();
  }
  // All durable events from `from` on, through several batches.
  std::vector<v1::Event> ReadAll(const v1::JobRef& ref, uint64_t from = 1) {
    std::vector<v1::Event> events;
    while (true) {
      const auto batch = outbox_->Read(ref, from + events.size(), 4 << 10, 16);
      if (!batch.ok() || batch->events().empty()) return events;
      for (const v1::Event& event : batch->events()) {
        EXPECT_EQ(event.sequence(), from + events.size());
        events.push_back(event);
      }
    }
  }
  uint64_t Durable(const v1::JobRef& ref) { return outbox_->Find(ref)->durable_sequence; }

  std::mt19937_64 random_{1};
  base::FakeFileSystem files_{[this] { return random_(); }};
  uint64_t limit_bytes_ = 16 << 20;
  uint64_t segment_bytes_ = 4 << 10;
  std::unique_ptr<Outbox> outbox_;
};

TEST_F(OutboxTest, EventsAreReadableOnlyOnceSynced) {
  AcceptAndSync(Ref("a"));
  outbox_->Append(Ref("a"), CaseEvent("one"));
  EXPECT_TRUE(ReadAll(Ref("a")).empty());
  const std::optional<SyncJob> job = outbox_->BeginSync();
  ASSERT_TRUE(job.has_value());
  outbox_->Append(Ref("a"), CaseEvent("two"));
  EXPECT_TRUE(ReadAll(Ref("a")).empty());
  ASSERT_TRUE(job->Run().ok());
  outbox_->EndSync(*job);
  const std::vector<v1::Event> events = ReadAll(Ref("a"));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].case_finished().case_name(), "one");
}

TEST_F(OutboxTest, WhatIsSyncedSurvivesAnyCrash) {
  for (int round = 0; round < 200; ++round) {
    const v1::JobRef ref = Ref(absl::StrCat("job", round));
    AcceptAndSync(ref);
    const int synced = 1 + static_cast<int>(random_() % 100);
    for (int i = 1; i <= synced; ++i) outbox_->Append(ref, CaseEvent(absl::StrCat("case", i)));
    Sync();
    const int unsynced = static_cast<int>(random_() % 100);
    for (int i = 1; i <= unsynced; ++i) outbox_->Append(ref, CaseEvent(absl::StrCat("case", synced + i)));
    outbox_->BeginSync();  // Written, not synced.
    CrashAndOpen();
    const std::vector<v1::Event> events = ReadAll(ref);
    ASSERT_GE(events.size(), static_cast<size_t>(synced));
    for (int i = 0; i < synced; ++i) EXPECT_EQ(events[i].case_finished().case_name(), absl::StrCat("case", i + 1));
    // And it can go on.
    outbox_->Append(ref, FinishEvent());
    Sync();
    EXPECT_TRUE(outbox_->Find(ref)->finish_durable);
    EXPECT_EQ(ReadAll(ref).size(), events.size() + 1);
    outbox_->Forget(ref);
  }
}

TEST_F(OutboxTest, AcksDeleteSegmentsAndForgetDeletesAll) {
  AcceptAndSync(Ref("a"));
  for (int i = 0; i < 1000; ++i) outbox_->Append(Ref("a"), CaseEvent(absl::StrCat("case", i)));
  Sync();
  const uint64_t before = outbox_->bytes();
  outbox_->Ack(Ref("a"), 500);
  EXPECT_LT(outbox_->bytes(), before * 6 / 10);
  EXPECT_EQ(files_.used_bytes(), outbox_->bytes());
  EXPECT_EQ(ReadAll(Ref("a"), 501).size(), 500u);
  CrashAndOpen();
  EXPECT_EQ(ReadAll(Ref("a"), 501).size(), 500u);
  outbox_->Forget(Ref("a"));
  EXPECT_EQ(outbox_->bytes(), 0u);
  EXPECT_EQ(files_.used_bytes(), 0u);
}

TEST_F(OutboxTest, AcksOfWhatIsNotDurableAreNotBelieved) {
  AcceptAndSync(Ref("a"));
  outbox_->Append(Ref("a"), CaseEvent("one"));
  outbox_->Ack(Ref("a"), 99);
  EXPECT_EQ(outbox_->Find(Ref("a"))->acked_sequence, 0u);
  Sync();
  EXPECT_EQ(ReadAll(Ref("a")).size(), 1u);
}

TEST_F(OutboxTest, FullDropsLogsThenMeasurementsThenCasesNeverTheEnd) {
  limit_bytes_ = 64 << 10;
  Open();
  AcceptAndSync(Ref("a"));
  for (int i = 0; i < 100; ++i) outbox_->Append(Ref("a"), LogEvent(1 << 10));
  const uint64_t after_logs = outbox_->bytes();
  EXPECT_LE(after_logs, limit_bytes_ / 4 * 3 + 1024);
  for (int i = 0; i < 1000; ++i) outbox_->Append(Ref("a"), MeasurementEvent("m"));
  EXPECT_GT(outbox_->bytes(), after_logs);
  EXPECT_LE(outbox_->bytes(), limit_bytes_ / 8 * 7 + 1024);
  outbox_->Append(Ref("a"), CaseEvent("kept"));
  for (int i = 0; i < 1000; ++i) outbox_->Append(Ref("a"), CaseEvent("many"));
  EXPECT_LE(outbox_->bytes(), limit_bytes_ + 1024);
  v1::JobSpec spec;
  spec.set_suite(std::string(100, 's'));
  EXPECT_EQ(outbox_->Accept(Ref("b"), spec).code(), absl::StatusCode::kResourceExhausted);
  outbox_->Append(Ref("a"), FinishEvent());
  Sync();
  uint64_t dropped = 0;
  uint64_t kept = 0;
  bool kept_case = false;
  const std::vector<v1::Event> events = ReadAll(Ref("a"));
  for (const v1::Event& event : events) {
    if (event.has_events_dropped()) {
      dropped += event.events_dropped().count();
    } else {
      ++kept;
    }
    kept_case |= event.case_finished().case_name() == "kept";
  }
  EXPECT_TRUE(kept_case);
  EXPECT_EQ(kept + dropped, 2102u);
  EXPECT_EQ(events.back().job_finished().dropped_events(), dropped);
}

TEST_F(OutboxTest, AFullDiskIsAFullOutboxAndTheEndWaitsForRoom) {
  AcceptAndSync(Ref("a"));
  outbox_->Append(Ref("a"), CaseEvent("one"));
  Sync();
  files_.SetCapacity(files_.used_bytes() + 20);  // Torn writes, too.
  for (int i = 0; i < 10; ++i) outbox_->Append(Ref("a"), LogEvent(100));
  outbox_->Append(Ref("a"), CaseEvent("two"));
  outbox_->Append(Ref("a"), FinishEvent());
  Sync();
  EXPECT_TRUE(outbox_->waits_for_room());
  EXPECT_EQ(ReadAll(Ref("a")).size(), 1u);
  EXPECT_FALSE(outbox_->Find(Ref("a"))->finish_durable);
  EXPECT_FALSE(outbox_->Accept(Ref("b"), {}).ok());
  files_.SetCapacity(UINT64_MAX);
  Sync();
  EXPECT_FALSE(outbox_->waits_for_room());
  const std::vector<v1::Event> events = ReadAll(Ref("a"));
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[1].events_dropped().count(), 10u);
  EXPECT_EQ(events[2].case_finished().case_name(), "two");
  EXPECT_EQ(events[3].job_finished().dropped_events(), 10u);
}

TEST_F(OutboxTest, WhatWaitsForRoomIsBounded) {
  AcceptAndSync(Ref("a"));
  files_.SetCapacity(0);
  for (int i = 0; i < 300; ++i) outbox_->Append(Ref("a"), CaseEvent(std::string(10'000, 'c')));
  outbox_->Append(Ref("a"), FinishEvent());
  Sync();
  for (int i = 0; i < 300; ++i) outbox_->Append(Ref("a"), CaseEvent(std::string(10'000, 'c')));
  EXPECT_LT(outbox_->bytes(), 1'200'000u + 4096u);
}

TEST_F(OutboxTest, DamageInTheMiddleIsSaidAndKeepsTheNumbers) {
  AcceptAndSync(Ref("a"));
  for (int i = 1; i <= 100; ++i) outbox_->Append(Ref("a"), CaseEvent(absl::StrCat("case", i)));
  Sync();
  outbox_.reset();
  files_.Damage("d/00000001-000001.log", files_.Size("d/00000001-000001.log").value() / 2);
  Open();
  ASSERT_EQ(outbox_->recovery_notes().size(), 1u);
  const std::vector<v1::Event> events = ReadAll(Ref("a"));
  ASSERT_EQ(events.size(), 100u);
  int lost = 0;
  for (const v1::Event& event : events) {
    if (event.has_events_dropped()) {
      ++lost;
    } else {
      EXPECT_EQ(event.case_finished().case_name(), absl::StrCat("case", event.sequence()));
    }
  }
  EXPECT_EQ(lost, 1);
  outbox_->Append(Ref("a"), FinishEvent());
  Sync();
  EXPECT_EQ(ReadAll(Ref("a"), 101).at(0).job_finished().dropped_events(), 1u);
}

TEST_F(OutboxTest, AMissingSegmentIsSaidToo) {
  AcceptAndSync(Ref("a"));
  for (int i = 1; i <= 1000; ++i) outbox_->Append(Ref("a"), CaseEvent(absl::StrCat("case", i)));
  Sync();
  outbox_.reset();
  ASSERT_TRUE(files_.Remove("d/00000001-000002.log").ok());
  Open();
  const std::vector<v1::Event> events = ReadAll(Ref("a"));
  ASSERT_EQ(events.size(), 1000u);
  EXPECT_TRUE(events[999].has_case_finished());
}

TEST_F(OutboxTest, StrangersAndEmptyFilesDoNoHarm) {
  ASSERT_TRUE(files_.OpenAppend("d/notes.txt").ok());
  ASSERT_TRUE(files_.OpenAppend("d/00000007-000001.log").ok());
  Open();
  EXPECT_EQ(outbox_->recovery_notes().size(), 1u);
  EXPECT_TRUE(outbox_->Attempts().empty());
  EXPECT_TRUE(files_.Size("d/notes.txt").ok());
}

TEST_F(OutboxTest, AnErrorOfSyncIsAnErrorOfTheJob) {
  AcceptAndSync(Ref("a"));
  outbox_->Append(Ref("a"), CaseEvent("one"));
  files_.FailSyncs(true);
  const std::optional<SyncJob> job = outbox_->BeginSync();
  ASSERT_TRUE(job.has_value());
  EXPECT_FALSE(job->Run().ok());
}

TEST_F(OutboxTest, OneAttemptIsAcceptedOnce) {
  ASSERT_TRUE(outbox_->Accept(Ref("a"), {}).ok());
  EXPECT_EQ(outbox_->Accept(Ref("a"), {}).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(outbox_->Accept(Ref("a", 2), {}).ok());
}

TEST_F(OutboxTest, AnEventTooLargeIsDroppedOrShrunk) {
  AcceptAndSync(Ref("a"));
  v1::Event huge = CaseEvent("huge");
  huge.mutable_case_finished()->add_findings(std::string(2 << 20, 'f'));
  outbox_->Append(Ref("a"), huge);
  outbox_->Append(Ref("a"), LogEvent(2 << 20));
  outbox_->Append(Ref("a"), FinishEvent());
  Sync();
  const std::vector<v1::Event> events = ReadAll(Ref("a"));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].case_finished().case_name(), "huge");
  EXPECT_EQ(events[1].events_dropped().count(), 1u);
}

TEST_F(OutboxTest, WhatAProgramFoundComesBeforeTheContext) {
  AcceptAndSync(Ref("a"));
  v1::Event large = CaseEvent("large");
  large.mutable_case_finished()->add_findings(std::string(200 << 10, 'f'));
  large.mutable_case_finished()->mutable_context()->add_events()->set_detail(std::string(100 << 10, 'd'));
  outbox_->Append(Ref("a"), large);
  Sync();
  const std::vector<v1::Event> events = ReadAll(Ref("a"));
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].case_finished().findings(0).size(), size_t{200} << 10);
  EXPECT_FALSE(events[0].case_finished().has_context());
}

}  // namespace
}  // namespace muster::agent
