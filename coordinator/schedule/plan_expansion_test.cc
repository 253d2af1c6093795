#include "coordinator/schedule/plan_expansion.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::SuiteManifest Suite(const std::string& name, v1::DeviceScope scope, const std::string& requirement = "") {
  v1::SuiteManifest suite;
  suite.set_name(name);
  suite.set_version("2");
  suite.set_device_scope(scope);
  suite.set_requirement(requirement);
  suite.add_cases()->set_name("quick.one");
  v1::Case& two = *suite.add_cases();
  two.set_name("quick.two");
  two.set_time_limit_ms(5);
  two.set_needs_gpu_work(true);
  v1::Case& deep = *suite.add_cases();
  deep.set_name("deep");
  deep.set_level(v1::LEVEL_LONG);
  v1::Case& reset = *suite.add_cases();
  reset.set_name("reset");
  reset.set_destructive(true);
  v1::Parameter& size = *suite.add_parameters();
  size.set_name("size");
  size.mutable_integer()->set_default_value(1);
  size.mutable_integer()->set_maximum(10);
  return suite;
}

class PlanExpansionTest : public ::testing::Test {
 protected:
  MachineRecord& Machine(const std::string& name, const std::vector<v1::SuiteManifest>& suites) {
    MachineRecord& record = records_.emplace_back();
    record.machine.set_name(name);
    (*record.machine.mutable_labels())["site"] = "lab";
    record.suites = suites;
    return record;
  }
  static v1::Device& Device(MachineRecord& record, const std::string& id, const std::string& vendor, int memory_gib) {
    v1::Device& device = *record.machine.add_devices();
    device.set_id(id);
    device.set_pci_address("0000:01:00.0");
    device.set_driver_state(v1::DRIVER_STATE_READY);
    (*device.mutable_labels())["vendor"] = vendor;
    (*device.mutable_labels())["memory_gib"] = std::to_string(memory_gib);
    return device;
  }
  static v1::Device& DeadDevice(MachineRecord& record, const std::string& id, const std::string& vendor) {
    v1::Device& device = *record.machine.add_devices();
    device.set_id(id);
    device.set_pci_address("0000:02:00.0");
    device.set_driver_state(v1::DRIVER_STATE_UNBOUND);
    device.set_driver_problem("no driver is bound: load the module");
    (*device.mutable_labels())["vendor"] = vendor;
    return device;
  }
  v1::PlanSuite& Add(const std::string& suite) {
    v1::PlanSuite& added = *plan_.add_suites();
    added.set_suite(suite);
    return added;
  }
  PlanExpansionTest() { plan_.set_name("test"); }
  coordinator::Machines Fleet() const {
    coordinator::Machines fleet;
    for (const MachineRecord& record : records_) fleet.push_back(&record);
    return fleet;
  }
  absl::StatusOr<Expansion> Go(uint32_t max_jobs = 100) { return Expand(plan_, Fleet(), max_jobs, destructive_); }
  std::string Problem() { return std::string(Go().status().message()); }
  // "MACHINE DEVICE,… CASE,… OUTCOME", a job each.
  std::vector<std::string> Jobs() {
    const absl::StatusOr<Expansion> expansion = Go();
    EXPECT_TRUE(expansion.ok()) << expansion.status();
    std::vector<std::string> lines;
    if (!expansion.ok()) return lines;
    for (const PlannedJob& planned : expansion->jobs) {
      std::string line = planned.job.machine() + " ";
      for (const std::string& id : planned.job.spec().device_ids()) line += id + ",";
      line += " ";
      for (const v1::ExpectedCase& expected : planned.job.expected()) line += expected.name() + ",";
      if (!planned.results.empty()) line += " " + v1::Verdict_Name(planned.results[0].outcome());
      lines.push_back(line);
    }
    return lines;
  }
  std::string FirstReason() { return Go()->jobs.at(0).job.not_runnable_reason(); }

  std::deque<MachineRecord> records_;
  v1::Plan plan_;
  bool destructive_ = false;
};

TEST_F(PlanExpansionTest, ScopesDecideHowManyJobs) {
  MachineRecord& m = Machine("m1", {Suite("one", v1::DEVICE_SCOPE_ONE), Suite("all", v1::DEVICE_SCOPE_ALL),
                                    Suite("host", v1::DEVICE_SCOPE_MACHINE)});
  Device(m, "a", "nvidia", 80);
  Device(m, "b", "intel", 16);
  for (const char* suite : {"one", "all", "host"}) Add(suite);
  EXPECT_THAT(Jobs(), ElementsAre("m1 a, quick.one,quick.two,", "m1 b, quick.one,quick.two,",
                                  "m1 a,b, quick.one,quick.two,", "m1  quick.one,quick.two,"));
  const v1::Job job = Go()->jobs[0].job;
  EXPECT_EQ(job.spec().suite_version(), "2");
  EXPECT_EQ(job.spec().level(), v1::LEVEL_QUICK);
  EXPECT_EQ(job.expected(0).time_limit_ms(), 60'000);
  EXPECT_EQ(job.expected(1).time_limit_ms(), 5);
  EXPECT_TRUE(job.expected(1).needs_gpu_work());
}

TEST_F(PlanExpansionTest, ACaseMayHaveAScopeOfItsOwn) {
  v1::SuiteManifest suite = Suite("one", v1::DEVICE_SCOPE_ONE);
  suite.mutable_cases(0)->set_device_scope(v1::DEVICE_SCOPE_ALL);
  MachineRecord& m = Machine("m1", {suite});
  Device(m, "a", "nvidia", 80);
  Device(m, "b", "nvidia", 80);
  DeadDevice(m, "c", "nvidia");
  Machine("m2", {suite});
  Add("one");
  EXPECT_THAT(Jobs(),
              ElementsAre("m1 a, quick.two,", "m1 b, quick.two,", "m1 c, quick.two, FAILED", "m1 a,b, quick.one,",
                          "m1 c, quick.one, FAILED", "m2  quick.two, SKIPPED", "m2  quick.one, SKIPPED"));
}

TEST_F(PlanExpansionTest, ARequirementChoosesDevices) {
  MachineRecord& m = Machine("m1", {Suite("one", v1::DEVICE_SCOPE_ONE, "vendor=nvidia,memory_gib>=16")});
  Device(m, "a", "nvidia", 80);
  Device(m, "b", "nvidia", 8);
  Device(m, "c", "intel", 80);
  Add("one");
  EXPECT_THAT(Jobs(), ElementsAre("m1 a, quick.one,quick.two,"));
}

TEST_F(PlanExpansionTest, WithoutAFittingDeviceTheCasesAreSkipped) {
  Device(Machine("m1", {Suite("one", v1::DEVICE_SCOPE_ONE, "vendor=nvidia")}), "c", "intel", 80);
  Add("one");
  EXPECT_THAT(Jobs(), ElementsAre("m1  quick.one,quick.two, SKIPPED"));
  EXPECT_EQ(FirstReason(), "needs vendor=nvidia: machine m1 has no such device");
}

TEST_F(PlanExpansionTest, AFleetWithoutGpusSaysSo) {
  Machine("m1", {Suite("one", v1::DEVICE_SCOPE_ONE), Suite("host", v1::DEVICE_SCOPE_MACHINE)});
  Add("one");
  Add("host");
  EXPECT_THAT(Jobs(), ElementsAre("m1  quick.one,quick.two, SKIPPED", "m1  quick.one,quick.two,"));
  EXPECT_EQ(FirstReason(), "needs a GPU: machine m1 has none");
  EXPECT_THAT(Go()->notes, ElementsAre("no machine has a GPU: the GPU cases are SKIPPED"));
}

TEST_F(PlanExpansionTest, TheNoteOfMissingGpusIsForCasesThatWantOne) {
  Machine("m1", {Suite("host", v1::DEVICE_SCOPE_MACHINE)});
  Machine("m2", {Suite("other", v1::DEVICE_SCOPE_MACHINE)});
  Add("host");
  EXPECT_THAT(Jobs(), ElementsAre("m1  quick.one,quick.two,", "m2  quick.one,quick.two, SKIPPED"));
  EXPECT_THAT(Go()->notes, ElementsAre());
}

TEST_F(PlanExpansionTest, ARunOfNothingButMissingSuitesIsAMistake) {
  Machine("m1", {Suite("host", v1::DEVICE_SCOPE_MACHINE)});
  Machine("m2", {Suite("other", v1::DEVICE_SCOPE_MACHINE)});
  Add("host");
  plan_.set_on("name=m2");
  EXPECT_EQ(Go().status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(Go().status().message()), HasSubstr("m2 has no suite 'host'"));
}

TEST_F(PlanExpansionTest, ADeadDeviceFailsEvenWhenLittleIsKnownOfIt) {
  MachineRecord& m = Machine("m1", {Suite("one", v1::DEVICE_SCOPE_ONE, "vendor=nvidia,memory_gib>=16"),
                                    Suite("all", v1::DEVICE_SCOPE_ALL, "vendor=nvidia,memory_gib>=16")});
  Device(m, "a", "nvidia", 80);
  DeadDevice(m, "d", "nvidia");
  DeadDevice(m, "e", "intel");
  Add("one");
  Add("all");
  plan_.set_on("memory_gib>16");
  EXPECT_THAT(Jobs(), ElementsAre("m1 a, quick.one,quick.two,", "m1 d, quick.one,quick.two, FAILED",
                                  "m1 a, quick.one,quick.two,", "m1 d, quick.one,quick.two, FAILED"));
  EXPECT_THAT(Go()->jobs[1].results[0].reason(), HasSubstr("no driver is bound: load the module"));
}

TEST_F(PlanExpansionTest, SelectorsOfPlanAndSuiteNarrow) {
  const std::vector<v1::SuiteManifest> suites = {Suite("one", v1::DEVICE_SCOPE_ONE),
                                                 Suite("host", v1::DEVICE_SCOPE_MACHINE)};
  MachineRecord& m1 = Machine("m1", suites);
  Device(m1, "a", "nvidia", 80);
  Device(m1, "b", "intel", 16);
  Device(Machine("m2", suites), "c", "intel", 16);
  Machine("m3", suites);
  plan_.set_on("vendor=intel,site=lab");
  Add("one");
  Add("host").set_on("name=m2");
  EXPECT_THAT(Jobs(),
              ElementsAre("m1 b, quick.one,quick.two,", "m2 c, quick.one,quick.two,", "m2  quick.one,quick.two,"));
  plan_.set_on("vendor!=intel");
  EXPECT_THAT(Jobs(), ElementsAre("m1 a, quick.one,quick.two,", "m3  quick.one,quick.two, SKIPPED"));
}

TEST_F(PlanExpansionTest, CasesAreChosenByLevelOrByName) {
  Machine("m1", {Suite("host", v1::DEVICE_SCOPE_MACHINE)});
  v1::PlanSuite& suite = Add("host");
  plan_.set_level(v1::LEVEL_LONG);
  EXPECT_THAT(Jobs(), ElementsAre("m1  quick.one,quick.two,deep,"));
  suite.set_level(v1::LEVEL_QUICK);
  EXPECT_THAT(Jobs(), ElementsAre("m1  quick.one,quick.two,"));
  suite.add_cases("reset");
  suite.add_cases(".*two");
  destructive_ = true;
  EXPECT_THAT(Jobs(), ElementsAre("m1  quick.two,reset,"));
  suite.set_cases(0, "res.t");  // A destructive case is not meant by a pattern.
  EXPECT_THAT(Problem(), HasSubstr("res.t"));
}

TEST_F(PlanExpansionTest, ADestructiveCaseMustBeAskedForTwice) {
  Machine("m1", {Suite("host", v1::DEVICE_SCOPE_MACHINE)});
  v1::PlanSuite& suite = Add("host");
  EXPECT_FALSE(Go()->jobs.at(0).job.spec().destructive());
  destructive_ = true;
  EXPECT_THAT(Jobs(), ElementsAre("m1  quick.one,quick.two,")) << "never by level";
  EXPECT_FALSE(Go()->jobs.at(0).job.spec().destructive()) << "the job has no such case";
  suite.add_cases("reset");
  EXPECT_TRUE(Go()->jobs.at(0).job.spec().destructive());
  destructive_ = false;
  EXPECT_TRUE(absl::IsInvalidArgument(Go().status()));
  EXPECT_THAT(Problem(), AllOf(HasSubstr("case reset of suite 'host' is destructive"), HasSubstr("--destructive")));
}

TEST_F(PlanExpansionTest, ACaseThatIsDestructiveOnOneMachineAloneIsRefused) {
  v1::SuiteManifest harmless = Suite("host", v1::DEVICE_SCOPE_MACHINE);
  harmless.mutable_cases(3)->set_destructive(false);
  Machine("m1", {harmless});
  Machine("m2", {Suite("host", v1::DEVICE_SCOPE_MACHINE)});
  Add("host").add_cases("reset");
  EXPECT_THAT(Problem(), HasSubstr("is destructive"));
}

TEST_F(PlanExpansionTest, ACaseMayAskForMore) {
  v1::SuiteManifest picky = Suite("one", v1::DEVICE_SCOPE_ONE);
  picky.mutable_cases(1)->set_requirement("memory_gib>=32");
  MachineRecord& m = Machine("m1", {picky});
  Device(m, "a", "nvidia", 80);
  Device(m, "b", "nvidia", 16);
  Add("one");
  EXPECT_THAT(Jobs(), ElementsAre("m1 a, quick.one,quick.two,", "m1 b, quick.one,", "m1 b, quick.two, SKIPPED"));
  EXPECT_EQ(Go()->jobs[2].results[0].reason(), "needs memory_gib>=32: device b, memory_gib>=32: is 16");
}

TEST_F(PlanExpansionTest, AMachineWithoutTheSuiteSkipsAndABrokenOneErrs) {
  Machine("m1", {Suite("host", v1::DEVICE_SCOPE_MACHINE)});
  Machine("m2", {});
  Machine("m3", {}).suite_problems.push_back("suite host: line 3: expected a name");
  Add("host");
  EXPECT_THAT(Jobs(), ElementsAre("m1  quick.one,quick.two,", "m2  quick.one,quick.two, SKIPPED",
                                  "m3  quick.one,quick.two, ERROR"));
  EXPECT_EQ(Go()->jobs[1].job.not_runnable_reason(), "machine m2 has no suite 'host'");
  EXPECT_THAT(Go()->jobs[2].job.not_runnable_reason(), HasSubstr("line 3"));
}

TEST_F(PlanExpansionTest, AnOlderSuiteSkipsTheCasesThatItLacks) {
  v1::SuiteManifest older = Suite("host", v1::DEVICE_SCOPE_MACHINE);
  older.mutable_cases()->DeleteSubrange(1, 1);
  Machine("m1", {older});
  Machine("m2", {Suite("host", v1::DEVICE_SCOPE_MACHINE)});
  Add("host").add_cases("quick.two");
  EXPECT_THAT(Jobs(), ElementsAre("m1  quick.two, SKIPPED", "m2  quick.two,"));
}

TEST_F(PlanExpansionTest, WhatNobodyDeclaresIsRefused) {
  Machine("m1", {Suite("host", v1::DEVICE_SCOPE_MACHINE)});
  EXPECT_THAT(Problem(), HasSubstr("suites, found 0"));
  v1::PlanSuite& suite = Add("hots");
  EXPECT_THAT(Problem(), AllOf(HasSubstr("hots"), HasSubstr("there are: host")));
  suite.set_suite("host");
  suite.add_cases("quick.tow");
  EXPECT_THAT(Problem(), AllOf(HasSubstr("quick.tow"), HasSubstr("quick.two")));
  suite.clear_cases();
  (*suite.mutable_parameters())["sise"] = "1";
  EXPECT_THAT(Problem(), AllOf(HasSubstr("sise"), HasSubstr("size")));
  suite.clear_parameters();
  (*suite.mutable_parameters())["size"] = "11";
  EXPECT_THAT(Problem(), HasSubstr("size"));
  suite.clear_parameters();
  plan_.set_on("site in");
  EXPECT_THAT(Problem(), HasSubstr("on: "));
  plan_.set_on("site=moon");
  EXPECT_THAT(Problem(), AllOf(HasSubstr("no machine matches"), HasSubstr("m1")));
  plan_.clear_on();
  EXPECT_TRUE(Go().ok());
  records_.clear();
  EXPECT_THAT(Problem(), HasSubstr("no machine in the fleet"));
}

TEST_F(PlanExpansionTest, ARunIsBounded) {
  MachineRecord& m = Machine("m1", {Suite("one", v1::DEVICE_SCOPE_ONE)});
  for (int i = 0; i < 5; ++i) Device(m, "d" + std::to_string(i), "nvidia", 80);
  Add("one");
  EXPECT_TRUE(Go(5).ok());
  EXPECT_THAT(Go(4).status().message(), HasSubstr("more than 4 jobs"));
}

TEST_F(PlanExpansionTest, ARequestOverridesThePlan) {
  Machine("m1", {Suite("host", v1::DEVICE_SCOPE_MACHINE), Suite("other", v1::DEVICE_SCOPE_MACHINE)});
  Add("host").set_level(v1::LEVEL_QUICK);
  Add("other");
  plan_.set_on("site=lab");
  v1::StartRunRequest request;
  *request.mutable_plan() = plan_;
  EXPECT_EQ(PlanOf(request, Fleet())->ShortDebugString(), plan_.ShortDebugString());
  request.set_on("name=m1");
  request.set_level(v1::LEVEL_STRESS);
  request.set_priority(0);
  (*request.mutable_parameters())["size"] = "3";
  (*request.mutable_parameters())["other.size"] = "4";
  absl::StatusOr<v1::Plan> plan = PlanOf(request, Fleet());
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->on(), "name=m1");
  EXPECT_EQ(plan->level(), v1::LEVEL_STRESS);
  EXPECT_EQ(plan->suites(0).level(), v1::LEVEL_UNSPECIFIED);
  EXPECT_EQ(plan->suites(0).parameters().at("size"), "3");
  EXPECT_EQ(plan->suites(1).parameters().at("size"), "4");
  (*request.mutable_parameters())["host.depth"] = "4";
  EXPECT_THAT(PlanOf(request, Fleet()).status().message(), AllOf(HasSubstr("host.depth"), HasSubstr("host.size")));
}

}  // namespace
}  // namespace muster::coordinator
