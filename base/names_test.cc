#include "base/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace muster::base {
namespace {

using ::testing::HasSubstr;

TEST(Names, MachinesAreDnsNames) {
  for (const char* good : {"a", "gpu-01", "gpu01.lab.example.org", "0", "a--b"}) {
    EXPECT_TRUE(CheckMachineName(good).ok()) << good;
  }
  for (const char* bad : {"", ".", "a.", ".a", "a..b", "-a", "a-", "A", "a_b", "a/b", "a b", "a\n", "é"}) {
    EXPECT_FALSE(CheckMachineName(bad).ok()) << bad;
  }
  const std::string label(63, 'a');
  EXPECT_TRUE(CheckMachineName(label).ok());
  EXPECT_FALSE(CheckMachineName(label + "a").ok());
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  EXPECT_TRUE(CheckMachineName(longest).ok());
  EXPECT_FALSE(CheckMachineName(longest + "a").ok());
}

TEST(Names, SuitesPlansParameters) {
  EXPECT_TRUE(CheckSuiteName("driver-2").ok());
  EXPECT_FALSE(CheckSuiteName("driver_2").ok());
  EXPECT_FALSE(CheckSuiteName("2driver").ok());
  EXPECT_FALSE(CheckSuiteName("").ok());
  EXPECT_FALSE(CheckSuiteName("..").ok());
  EXPECT_TRUE(CheckPlanName(std::string(64, 'a')).ok());
  EXPECT_FALSE(CheckPlanName(std::string(65, 'a')).ok());
  EXPECT_TRUE(CheckParameterName("size_mib").ok());
  EXPECT_FALSE(CheckParameterName("size-mib").ok());
}

TEST(Names, CasesAndArtifacts) {
  EXPECT_TRUE(CheckCaseName("memory.march").ok());
  EXPECT_TRUE(CheckCaseName("A_b-1.c").ok());
  EXPECT_FALSE(CheckCaseName(".hidden").ok());
  EXPECT_FALSE(CheckCaseName("a/b").ok());
  EXPECT_FALSE(CheckCaseName("a,b").ok());
  EXPECT_FALSE(CheckArtifactName("..").ok());
  EXPECT_TRUE(CheckArtifactName(std::string(128, 'x')).ok());
  EXPECT_FALSE(CheckArtifactName(std::string(129, 'x')).ok());
}

TEST(Names, MessagesAreSafeToPrint) {
  const absl::Status status = CheckSuiteName(std::string("a\x1b[31m") + std::string(500, 'b'));
  EXPECT_THAT(std::string(status.message()), HasSubstr("\\x1b"));
  EXPECT_LT(status.message().size(), 200u);
}

TEST(Names, HostsBecomeMachines) {
  EXPECT_EQ(MachineNameFromHost("GPU_Node-1.Lab"), "gpu-node-1.lab");
  EXPECT_EQ(MachineNameFromHost("_a_._b_."), "a.b");
  EXPECT_EQ(MachineNameFromHost("___"), "");
  for (const char* host : {"-x-", "..a..b..", "é", "x.-", "A.-.B"}) {
    const std::string name = MachineNameFromHost(host);
    EXPECT_TRUE(name.empty() || CheckMachineName(name).ok()) << host << " became " << name;
  }
}

TEST(RunId, SortsByTimeAndChecks) {
  const std::string a = MakeRunId(1'800'000'000'000, ~0ull);
  const std::string b = MakeRunId(1'800'000'000'001, 0);
  EXPECT_EQ(a.size(), 15u);
  EXPECT_LT(a, b);
  EXPECT_TRUE(CheckRunId(a).ok()) << a;
  EXPECT_NE(MakeRunId(5, 1), MakeRunId(5, 2));
  EXPECT_EQ(MakeRunId(32, 33), "r-0000000100011");
  EXPECT_FALSE(CheckRunId("r-00000001000l1").ok());
  EXPECT_FALSE(CheckRunId("r-000000010001").ok());
  EXPECT_FALSE(CheckRunId("").ok());
}

TEST(JobId, RoundTrips) {
  const std::string run = MakeRunId(1, 2);
  EXPECT_EQ(ParseJobId(MakeJobId(run, 17))->number, 17u);
  EXPECT_EQ(ParseJobId(MakeJobId(run, 17))->run_id, run);
  for (const std::string& bad : std::vector<std::string>{run, run + "/", run + "/0", run + "/01", run + "/+1",
                                                         run + "/1 ", "x/1", run + "/4294967296"}) {
    EXPECT_FALSE(ParseJobId(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace muster::base
