#include "coordinator/report/run_json.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "coordinator/report/run_report_fake.h"

namespace muster::coordinator {
namespace {

TEST(RunJson, ReadsBackAsTheResponse) {
  v1::GetRunResponse response;
  ASSERT_TRUE(base::FromJson(RunJson(FakeReport()), base::UnknownFields::kRefuse, &response).ok());
  EXPECT_EQ(response.run().id(), "r-0123456789abc");
  ASSERT_EQ(response.jobs_size(), 2);
  EXPECT_EQ(response.jobs(1).attempts(0).results_size(), 11);
  ASSERT_EQ(response.measurements_size(), 1);
  EXPECT_EQ(response.measurements(0).measurements(0).number(), 4.37e12);
}

TEST(RunJson, LeavesOutMeasurementsOfAttemptsThatDoNotCountUnlessAsked) {
  RunReport report = FakeReport();
  report.stored.jobs[0].add_attempts()->mutable_ref()->set_attempt(2);
  EXPECT_EQ(RunResponse(report).measurements_size(), 0);
  EXPECT_EQ(RunResponse(report, /*all_attempts=*/true).measurements_size(), 1);
}

}  // namespace
}  // namespace muster::coordinator
