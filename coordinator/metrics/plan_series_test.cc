#include "coordinator/metrics/plan_series.h"

#include <string>

#include "coordinator/core/core.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::Run EndedRun(const std::string& id, const std::string& plan, v1::RunColour colour) {
  v1::Run run;
  run.set_id(id);
  run.mutable_plan()->set_name(plan);
  run.set_state(v1::RUN_STATE_FINISHED);
  run.set_colour(colour);
  run.set_created_unix_ms(1'800'000'000'000);
  run.set_finished_unix_ms(1'800'000'090'500);
  v1::VerdictCount& count = *run.add_verdicts();
  count.set_verdict(v1::PASSED);
  count.set_count(7);
  return run;
}

std::string Text(const PlanSeries& series) {
  std::string out;
  series.Write(out);
  return out;
}

TEST(PlanSeries, TheLastRunOfAPlan) {
  PlanSeries series;
  EXPECT_EQ(Text(series), "");
  series.RunEnded(EndedRun("r-2", "nightly", v1::GREEN));
  const std::string text = Text(series);
  EXPECT_THAT(text, HasSubstr("muster_plan_last_run_timestamp_seconds{plan=\"nightly\"} 1800000090.5\n"));
  EXPECT_THAT(text, HasSubstr("muster_plan_last_run_colour{plan=\"nightly\",colour=\"GREEN\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("muster_plan_last_run_duration_seconds{plan=\"nightly\"} 90.5\n"));
  EXPECT_THAT(text, HasSubstr("muster_plan_last_run_cases{plan=\"nightly\",verdict=\"PASSED\"} 7\n"));
}

TEST(PlanSeries, AnOlderOrUnfinishedRunChangesNothing) {
  PlanSeries series;
  series.RunEnded(EndedRun("r-2", "nightly", v1::GREEN));
  series.RunEnded(EndedRun("r-1", "nightly", v1::RED));
  v1::Run active = EndedRun("r-3", "nightly", v1::RED);
  active.set_state(v1::RUN_STATE_ACTIVE);
  series.RunEnded(active);
  EXPECT_THAT(Text(series), Not(HasSubstr("RED")));
  series.RunEnded(EndedRun("r-2", "nightly", v1::RED));
  EXPECT_THAT(Text(series), HasSubstr("RED")) << "late results turned it";
  EXPECT_THAT(Text(series), Not(HasSubstr("GREEN")));
}

// A demonstration must neither pass for a nightly run on real GPUs nor hide one.
TEST(PlanSeries, RunsWithSimulatedGpusAreMarkedAndApart) {
  PlanSeries series;
  series.RunEnded(EndedRun("r-1", "nightly", v1::RED));
  v1::Run simulated = EndedRun("r-2", "nightly", v1::GREEN);
  simulated.add_notes(std::string(kSimulatedNote) + ", and nothing measured on them is a figure: sim-1");
  series.RunEnded(simulated);
  const std::string text = Text(series);
  EXPECT_THAT(text, HasSubstr("muster_plan_last_run_colour{plan=\"nightly\",colour=\"RED\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("muster_plan_last_run_colour{plan=\"nightly\",simulated=\"true\",colour=\"GREEN\"} 1\n"));
}

TEST(PlanSeries, PlansAreBounded) {
  PlanSeries series;
  for (size_t i = 0; i < PlanSeries::kMaxPlans + 5; ++i) {
    series.RunEnded(EndedRun("r-1", "plan" + std::to_string(i), v1::GREEN));
  }
  EXPECT_THAT(Text(series), HasSubstr("\"plan1023\""));
  EXPECT_THAT(Text(series), Not(HasSubstr("\"plan1024\"")));
}

}  // namespace
}  // namespace muster::coordinator
