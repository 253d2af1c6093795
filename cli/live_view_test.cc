#include "cli/live_view.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int64_t kStart = 1'800'000'000'000;

// A run that is put together job by job.
class RunBuilder {
 public:
  RunBuilder() {
    v1::Run& run = *update_.mutable_run();
    run.set_id("r-0000000000001");
    run.mutable_plan()->set_name("smoke");
    run.set_state(v1::RUN_STATE_ACTIVE);
    run.set_created_unix_ms(kStart);
  }
  v1::Job& AddJob(const std::string& machine, v1::JobState state, int cases) {
    v1::Job& job = *update_.add_jobs();
    job.set_id(absl::StrCat("r-0000000000001/", update_.jobs_size()));
    job.set_machine(machine);
    job.set_state(state);
    job.mutable_spec()->set_suite("driver");
    for (int i = 0; i < cases; ++i) job.add_expected()->set_name(absl::StrCat("case", i));
    if (state != v1::JOB_STATE_QUEUED) job.add_attempts()->mutable_ref()->set_attempt(1);
    return job;
  }
  static void End(v1::Job& job, const std::string& name, v1::Verdict verdict, const std::string& reason = "") {
    v1::CaseResult& result = *job.mutable_attempts(job.attempts_size() - 1)->add_results();
    result.set_case_name(name);
    result.set_verdict(verdict);
    result.set_reason(reason);
    result.set_duration_ms(1500);
  }
  void Start(const v1::Job& job, const std::string& name, int64_t at_ms) {
    v1::RunningCase& running = *update_.add_running();
    running.set_job_id(job.id());
    running.set_case_name(name);
    running.set_started_unix_ms(at_ms);
  }
  v1::RunUpdate& update() { return update_; }

 private:
  v1::RunUpdate update_;
};

std::vector<std::string> Render(const v1::RunUpdate& update, size_t width, size_t height, const Palette& palette = {}) {
  RunModel model;
  model.Apply(update, kStart + 75'000);
  return RenderLive(model, {.width = width, .height = height, .now_unix_ms = kStart + 75'000, .hint = "Ctrl-C cancels"},
                    palette);
}

RunBuilder TwoMachines() {
  RunBuilder builder;
  v1::Job& one = builder.AddJob("node1", v1::JOB_STATE_RUNNING, 4);
  RunBuilder::End(one, "case0", v1::PASSED);
  RunBuilder::End(one, "case1", v1::FAILED, "too slow");
  builder.Start(one, "case2", kStart + 70'000);
  builder.AddJob("node2", v1::JOB_STATE_QUEUED, 4);
  return builder;
}

TEST(LiveViewTest, ShowsTheWholeThenFailuresThenJobs) {
  EXPECT_THAT(Render(TwoMachines().update(), 60, 24),
              ElementsAre("smoke  r-0000000000001                                  1:15",
                          "█████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  2/8 cases  0/2 jobs",  //
                          "✓ 1 passed  ✗ 1 failed",                                        //
                          "",                                                              //
                          "✗ FAILED  node1  driver/case1  too slow",                       //
                          "",                                                              //
                          "node1  driver  █████░░░░░ 2/4   0:05  case2",                   //
                          "node2  driver  ░░░░░░░░░░ 0/4  waiting",                        //
                          "Ctrl-C cancels"));
}

TEST(LiveViewTest, WithoutUnicodeItIsAscii) {
  Palette palette;
  palette.unicode = false;
  const std::string text = absl::StrJoin(Render(TwoMachines().update(), 80, 24, palette), "\n");
  EXPECT_THAT(text, HasSubstr("x FAILED  node1"));
  EXPECT_THAT(text, HasSubstr("#####....."));
  for (const char c : text) ASSERT_GE(c, 0) << text;
}

TEST(LiveViewTest, ColourOnlyAdds) {
  Palette palette;
  palette.colour = true;
  const std::vector<std::string> plain = Render(TwoMachines().update(), 80, 24);
  std::vector<std::string> coloured = Render(TwoMachines().update(), 80, 24, palette);
  EXPECT_THAT(coloured[4], HasSubstr("\x1b[1;31m✗ FAILED\x1b[0m"));
  for (std::string& line : coloured) {
    for (size_t at; (at = line.find('\x1b')) != std::string::npos;) line.erase(at, line.find('m', at) + 1 - at);
  }
  EXPECT_EQ(coloured, plain);
}

// Whatever the size of the terminal and of the fleet: nothing leaves the frame, and the failures stay in it.
TEST(LiveViewTest, FitsEveryTerminal) {
  for (const int machines : {0, 1, 7, 1000}) {
    RunBuilder builder;
    for (int i = 0; i < machines; ++i) {
      const v1::JobState state = i % 3 == 0   ? v1::JOB_STATE_RUNNING
                                 : i % 3 == 1 ? v1::JOB_STATE_QUEUED
                                              : v1::JOB_STATE_FINISHED;
      v1::Job& job = builder.AddJob(absl::StrCat("測試-node", i, ".example.org"), state, 5);
      if (state == v1::JOB_STATE_QUEUED) continue;
      RunBuilder::End(job, "case0", i % 50 == 0 ? v1::FAILED : v1::PASSED,
                      "a reason that is a good deal longer than a narrow terminal is wide");
      if (state == v1::JOB_STATE_RUNNING) builder.Start(job, "case1", kStart + i);
    }
    for (const size_t width : {1, 2, 10, 20, 40, 80, 200}) {
      for (const size_t height : {1, 2, 3, 5, 12, 23, 50}) {
        const std::vector<std::string> lines = Render(builder.update(), width, height);
        EXPECT_LE(lines.size(), height);
        for (const std::string& line : lines)
          EXPECT_LE(DisplayWidth(line), width) << line << "\n" << width << "x" << height;
        if (machines > 0 && height >= 5 && width >= 10) {
          EXPECT_THAT(absl::StrJoin(lines, "\n"), HasSubstr("✗ FAILED"));
        }
      }
    }
  }
}

TEST(LiveViewTest, OfManyJobsTheLongestCaseComesFirstAndTheRestIsCounted) {
  RunBuilder builder;
  for (int i = 0; i < 100; ++i) {
    v1::Job& job =
        builder.AddJob(absl::StrCat("node", 100 + i), i < 60 ? v1::JOB_STATE_RUNNING : v1::JOB_STATE_QUEUED, 1);
    if (i < 60) builder.Start(job, "case0", i == 42 ? kStart - 3'600'000 : kStart + i);
  }
  const std::vector<std::string> lines = Render(builder.update(), 80, 12);
  EXPECT_THAT(lines[4], HasSubstr("node142"));
  EXPECT_THAT(lines[4], HasSubstr("1:01:15  case0"));
  EXPECT_EQ(lines[lines.size() - 2], "54 more jobs running, 40 waiting");
}

TEST(LiveViewTest, SaysThatItIsBeingCancelled) {
  RunBuilder builder = TwoMachines();
  builder.update().mutable_run()->set_cancel_requested(true);
  EXPECT_THAT(Render(builder.update(), 80, 24)[0], HasSubstr("cancelling"));
}

TEST(RunModelTest, ReportsACaseOnceEvenIfToldAgain) {
  RunBuilder builder = TwoMachines();
  RunModel model;
  EXPECT_EQ(model.Apply(builder.update(), kStart).cases.size(), 2u);
  EXPECT_EQ(model.Apply(builder.update(), kStart).cases.size(), 0u);
  RunBuilder::End(*builder.update().mutable_jobs(0), "case2", v1::PASSED);
  EXPECT_EQ(model.Apply(builder.update(), kStart).cases.size(), 1u);
  EXPECT_EQ(model.cases_ended(), 3u);
  EXPECT_EQ(model.cases_total(), 8u);
}

TEST(RunModelTest, ANewAttemptTakesThePlaceOfTheLostOne) {
  RunBuilder builder = TwoMachines();
  RunModel model;
  model.Apply(builder.update(), kStart);
  v1::Job& job = *builder.update().mutable_jobs(0);
  job.mutable_attempts(0)->set_fate(v1::FATE_LEASE_LOST);
  job.mutable_attempts(0)->set_superseded(true);
  job.add_attempts()->mutable_ref()->set_attempt(2);
  RunBuilder::End(job, "case0", v1::PASSED);
  const RunModel::Changes changes = model.Apply(builder.update(), kStart);
  ASSERT_EQ(changes.cases.size(), 1u) << "case0 of attempt 2 is another result than case0 of attempt 1";
  ASSERT_EQ(changes.attempts.size(), 1u);
  EXPECT_EQ(changes.attempts[0].text, "node1  driver: attempt 1 ended: lease lost");
  EXPECT_EQ(model.verdicts().at(v1::FAILED), 0u) << "what the lost attempt found counts for nothing";
  EXPECT_EQ(model.cases_ended(), 1u);
}

TEST(RunModelTest, AJobThatCannotRunIsSkipped) {
  RunBuilder builder;
  v1::Job& job = builder.AddJob("node1", v1::JOB_STATE_QUEUED, 2);
  job.set_state(v1::JOB_STATE_FINISHED);
  job.set_not_runnable_reason("no device matches vendor=nvidia");
  RunModel model;
  const RunModel::Changes changes = model.Apply(builder.update(), kStart);
  ASSERT_EQ(changes.cases.size(), 2u);
  EXPECT_EQ(changes.cases[0].verdict, v1::SKIPPED);
  EXPECT_EQ(changes.cases[0].reason, "no device matches vendor=nvidia");
}

TEST(RunModelTest, KeepsABoundedNumberOfFailures) {
  RunBuilder builder;
  v1::Job& job = builder.AddJob("node1", v1::JOB_STATE_RUNNING, 0);
  for (size_t i = 0; i < RunModel::kKeptFailures + 10; ++i) RunBuilder::End(job, absl::StrCat("case", i), v1::FAILED);
  RunModel model;
  model.Apply(builder.update(), kStart);
  EXPECT_EQ(model.failures().size(), RunModel::kKeptFailures);
  EXPECT_EQ(model.failures().front().case_name, "case10");
}

TEST(PlainLineTest, IsStable) {
  EXPECT_EQ(
      PlainLine(
          {.machine = "node1", .suite = "driver", .case_name = "ecc", .verdict = v1::PASSED, .duration_ms = 1500}),
      "PASSED     node1  -  driver/ecc  1.5 s");
  EXPECT_EQ(PlainLine({.machine = "node1",
                       .device = "GPU 0",
                       .suite = "driver",
                       .case_name = "ecc",
                       .verdict = v1::TIMED_OUT,
                       .reason = "why"}),
            "TIMED_OUT  node1  GPU 0  driver/ecc  0 ms  why");
}

}  // namespace
}  // namespace muster::cli
