#include "cli/result_table.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ResultTableTest : public ::testing::Test {
 protected:
  ResultTableTest() {
    v1::Run& run = *result_.mutable_run();
    run.set_id("r-0000000000001");
    run.mutable_plan()->set_name("smoke");
    run.set_state(v1::RUN_STATE_FINISHED);
    run.set_colour(v1::RED);
    run.set_created_unix_ms(1000);
    run.set_finished_unix_ms(73'000);
    v1::Machine machine;
    v1::Device& device = *machine.add_devices();
    device.set_id("GPU-1");
    device.set_model("NVIDIA H200");
    device.set_pci_address("0000:41:00.0");
    names_.Add(machine);
    job_ = result_.add_jobs();
    job_->set_id("r-0000000000001/1");
    job_->set_machine("node1");
    job_->mutable_spec()->set_suite("benchmark");
    job_->mutable_spec()->add_device_ids("GPU-1");
    job_->add_attempts()->mutable_ref()->set_attempt(1);
  }
  void AddCase(const std::string& name, v1::Verdict verdict, const std::string& reason = "") {
    v1::CaseResult& result = *job_->mutable_attempts(0)->add_results();
    result.set_case_name(name);
    result.set_verdict(verdict);
    result.set_reason(reason);
    result.set_duration_ms(1500);
  }
  v1::Measurement& AddFigure(const std::string& case_name, const std::string& name, double value,
                             const std::string& unit) {
    if (result_.measurements().empty()) result_.add_measurements()->set_job_id("r-0000000000001/1");
    v1::Measurement& m = *result_.mutable_measurements(0)->add_measurements();
    m.set_case_name(case_name);
    m.set_name(name);
    m.set_number(value);
    m.set_unit(unit);
    m.set_device_id("GPU-1");
    m.set_valid(true);
    return m;
  }
  std::string Render(const ResultOptions& options = {}) { return RenderResult(result_, names_, {}, options); }

  v1::GetRunResponse result_;
  v1::Job* job_ = nullptr;
  DeviceNames names_;
};

TEST_F(ResultTableTest, ShowsFiguresWithTheirShareOfWhatIsExpected) {
  AddCase("copy", v1::PASSED);
  AddFigure("copy", "bandwidth", 4.18e12, "B/s");
  AddFigure("copy", "bandwidth.expected", 4.8e12, "B/s");
  AddFigure("copy", "bandwidth.share", 0.8708, "1");
  AddFigure("copy", "work.bytes", 1e12, "B");
  AddCase("gemm", v1::FAILED, "slower than its silicon allows");
  AddFigure("gemm", "rate", 620e12, "FLOP/s");
  AddFigure("gemm", "rate.expected", 989e12, "FLOP/s");
  v1::Measurement& share = AddFigure("gemm", "rate.share", 0.627, "1");
  share.add_validators()->set_type("GREATER_THAN_OR_EQUAL");
  share.set_valid(false);
  EXPECT_EQ(Render(),
            "node1  GPU 0  NVIDIA H200  0000:41:00.0\n"
            "  ✓ PASSED     benchmark/copy        1.5 s\n"
            "                 bandwidth       4.18 TB/s  87.1 % of 4.80 TB/s\n"
            "  ✗ FAILED     benchmark/gemm        1.5 s\n"
            "                 slower than its silicon allows\n"
            "                 rate          620 TFLOP/s  ✗ 62.7 % of 989 TFLOP/s\n"
            "\n"
            "✓ 1 PASSED  ✗ 1 FAILED\n"
            "RED  smoke  r-0000000000001  1 min 12 s\n");
}

TEST_F(ResultTableTest, ShowsValidatorsSeriesAndTexts) {
  AddCase("c", v1::PASSED);
  v1::Validator& v = *AddFigure("c", "temperature", 45, "Cel").add_validators();
  v.set_type("LESS_THAN_OR_EQUAL");
  v.set_value_json("90");
  for (const double value : {3e-6, 1e-6, 2e-6}) AddFigure("c", "latency", value, "s");
  AddFigure("c", "driver", 0, "").set_text("570.124.06");
  AddFigure("c", "listed", 0, "").set_boolean(true);
  EXPECT_THAT(Render(),
              AllOf(HasSubstr("temperature                        45 °C  ≤ 90 °C\n"),
                    HasSubstr("1.00 µs … 2.00 µs … 3.00 µs\n"), HasSubstr("570.124.06\n"), HasSubstr(" yes\n")));
}

TEST_F(ResultTableTest, EvidenceOfWorkIsShownWhenAskedFor) {
  AddCase("copy", v1::PASSED);
  AddFigure("copy", "work.bytes", 1e12, "B");
  EXPECT_THAT(Render(), Not(HasSubstr("work.bytes")));
  EXPECT_THAT(Render({.all_figures = true}), HasSubstr("work.bytes"));
}

TEST_F(ResultTableTest, AFailedCaseSaysHowItsDevicesWere) {
  AddCase("copy", v1::FAILED, "wrong answer");
  v1::CaseContext& context = *job_->mutable_attempts(0)->mutable_results(0)->mutable_context();
  v1::HealthEvent& event = *context.add_events();
  event.set_code("nvidia.xid.31");
  event.set_count(2);
  EXPECT_THAT(Render(), AllOf(HasSubstr("wrong answer"), HasSubstr("meanwhile: events: nvidia.xid.31 (2)")));
}

TEST_F(ResultTableTest, OneReasonForSeveralCasesIsSaidOnce) {
  for (const char* name : {"a", "b", "c"}) AddCase(name, v1::SKIPPED, "no NVIDIA GPU");
  const std::string text = Render();
  EXPECT_EQ(text.find("no NVIDIA GPU"), text.rfind("no NVIDIA GPU"));
  EXPECT_LT(text.find("benchmark/c"), text.find("no NVIDIA GPU"));
}

// Else the last of them would be far below.
TEST_F(ResultTableTest, AReasonIsSaidBeforeTheFiguresOfItsCase) {
  for (const char* name : {"a", "b", "c"}) AddCase(name, v1::ERROR, "no CUDA");
  for (v1::CaseResult& result : *job_->mutable_attempts(0)->mutable_results()) {
    result.mutable_context()->add_events()->set_code("nvidia.xid.31");
  }
  AddFigure("a", "width", 8, "1");
  const std::string text = Render();
  EXPECT_LT(text.find("no CUDA"), text.find("width"));
  EXPECT_LT(text.find("width"), text.find("benchmark/b"));
  // With b and c only that and nothing between them.
  EXPECT_LT(text.find("benchmark/c"), text.rfind("no CUDA"));
  EXPECT_EQ(
      text.substr(text.find("benchmark/b"), text.find("benchmark/c") - text.find("benchmark/b")).find("meanwhile"),
      std::string::npos);
}

TEST_F(ResultTableTest, ALargeRunShowsWhatIsNotPassed) {
  for (size_t i = 0; i <= ResultOptions::kBriefAbove; ++i)
    AddCase(absl::StrCat("case", i), i == 7 ? v1::CRASHED : v1::PASSED);
  const std::string brief = Render();
  EXPECT_THAT(brief, AllOf(HasSubstr("benchmark/case7"), Not(HasSubstr("benchmark/case8")),
                           HasSubstr("all 401 cases: muster show r-0000000000001 --all")));
  EXPECT_THAT(Render({.all = true}), HasSubstr("benchmark/case8"));
}

TEST_F(ResultTableTest, FitsTheTerminal) {
  AddCase("a.case.with.a.name.that.is.really.quite.long.for.a.case", v1::FAILED, std::string(300, 'y'));
  AddFigure("a.case.with.a.name.that.is.really.quite.long.for.a.case", "a_figure_with_a_name_that_is_long_as_well",
            620e12, "FLOP/s");
  for (const size_t width : {40, 60, 80}) {
    for (const absl::string_view line : absl::StrSplit(Render({.width = width}), '\n'))
      EXPECT_LE(DisplayWidth(line), width) << line;
  }
}

TEST_F(ResultTableTest, MachineryIsToldApartFromVerdicts) {
  AddCase("copy", v1::PASSED);
  job_->mutable_attempts(0)->set_fate(v1::FATE_LEASE_LOST);
  result_.mutable_run()->add_notes("no machine has a GPU\x1b[2J");
  EXPECT_THAT(Render(), AllOf(HasSubstr("machinery: node1"), HasSubstr("lease lost"),
                              HasSubstr("note: no machine has a GPU\\x1b[2J\n")));
}

}  // namespace
}  // namespace muster::cli
