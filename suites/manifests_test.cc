// The suites' manifests and the plans: valid, and true to the programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/manifest.h"
#include "base/plan.h"
#include "base/textproto.h"
#include "muster/v1/suite.pb.h"
#include "suites/sdk/testing/program_run.h"

namespace muster {
namespace {

v1::SuiteManifest Manifest(const std::string& suite) {
  v1::SuiteManifest manifest;
  EXPECT_TRUE(base::ReadTextProto(MUSTER_SUITES_DIR "/" + suite + "/suite.textproto", &manifest).ok()) << suite;
  return manifest;
}

// The names out of --gtest_list_tests: "suite." at the left, "  case" under it. The filter is not "*", which would mean
// those of level 1.
std::set<std::string> CasesOfProgram(const std::string& suite) {
  const auto [status, text] = sdk::testing::RunForText(MUSTER_SUITES_DIR "/" + suite + "/" + suite, {},
                                                       {"--gtest_list_tests", "--gtest_filter=*.*"});
  EXPECT_EQ(status, 0);
  std::set<std::string> cases;
  std::istringstream lines(text);
  std::string group;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  ")) {
      cases.insert(group + line.substr(2));
    } else if (line.ends_with(".")) {
      group = line;
    }
  }
  return cases;
}

class ManifestTest : public testing::TestWithParam<const char*> {};

TEST_P(ManifestTest, IsValidAndNamesWhatTheProgramHas) {
  const v1::SuiteManifest manifest = Manifest(GetParam());
  EXPECT_EQ(manifest.name(), GetParam());
  EXPECT_TRUE(base::ValidateManifest(manifest).ok()) << base::ValidateManifest(manifest);
  std::set<std::string> declared;
  for (const v1::Case& one : manifest.cases()) declared.insert(one.name());
  EXPECT_EQ(declared, CasesOfProgram(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Suites, ManifestTest, testing::Values("benchmark", "detection", "driver"));

TEST(Plans, SmokeNamesCasesThatThereAre) {
  v1::Plan plan;
  ASSERT_TRUE(base::ReadTextProto(MUSTER_PLANS_DIR "/smoke.textproto", &plan).ok());
  EXPECT_EQ(plan.name(), "smoke");
  EXPECT_TRUE(base::ValidatePlan(plan).ok()) << base::ValidatePlan(plan);
  const v1::PlanSuite& selftest = plan.suites(0);
  const auto cases = base::SelectCases(Manifest(selftest.suite()), v1::LEVEL_QUICK, selftest.cases());
  ASSERT_TRUE(cases.ok()) << cases.status();
  EXPECT_EQ(cases->size(), 2u);
}

TEST(Plans, NameSuitesThatThereAre) {
  for (const char* name : {"acceptance", "nightly", "smoke"}) {
    v1::Plan plan;
    ASSERT_TRUE(base::ReadTextProto(absl::StrCat(MUSTER_PLANS_DIR "/", name, ".textproto"), &plan).ok()) << name;
    EXPECT_EQ(plan.name(), name);
    EXPECT_TRUE(base::ValidatePlan(plan).ok()) << base::ValidatePlan(plan);
    for (const v1::PlanSuite& suite : plan.suites()) EXPECT_EQ(Manifest(suite.suite()).name(), suite.suite());
  }
}

}  // namespace
}  // namespace muster
