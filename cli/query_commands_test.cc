// What the other commands ask for, print and return, against the fake coordinator.
#include <fstream>
#include <sstream>

#include "cli/command_fixture.h"
#include "gmock/gmock.h"

namespace muster::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class QueryTest : public CommandTest {
 protected:
  QueryTest() {
    AddMachine("h200-1", "driver", {"ecc", "link"});
    AddPlan("smoke", "driver");
    fake_.Autoplay({{"driver/link", Result(v1::SKIPPED, "needs gen 6")}});
  }
  void RunSmoke() { ASSERT_EQ(Muster({"run", "smoke"}).exit, 0); }
};

TEST_F(QueryTest, Runs) {
  const Outcome none = Muster({"runs"});
  EXPECT_EQ(none.exit, 0);
  EXPECT_EQ(none.out, "");
  EXPECT_THAT(none.err, HasSubstr("muster run smoke"));
  RunSmoke();
  RunSmoke();
  const std::string text = Muster({"runs"}).out;
  EXPECT_THAT(text, StartsWith("RUN              PLAN   STARTED"));
  EXPECT_LT(text.find("r-0000000000011"), text.find("r-0000000000010")) << "newest first";
  EXPECT_THAT(text, HasSubstr("GREEN   1 PASSED, 1 SKIPPED  tester\n"));
  EXPECT_THAT(Muster({"runs", "--json"}).out, StartsWith("{\n \"runs\": ["));
  EXPECT_THAT(Muster({"runs", "--plan", "other"}).err, HasSubstr("no runs"));
}

TEST_F(QueryTest, Show) {
  RunSmoke();
  const Outcome shown = Muster({"show", "last"});
  EXPECT_EQ(shown.exit, 0);
  EXPECT_THAT(shown.out, AllOf(HasSubstr("h200-1  GPU 0  NVIDIA H200  0000:41:00.0\n"),
                               HasSubstr("– SKIPPED    driver/link"), HasSubstr("needs gen 6")));
  EXPECT_THAT(Muster({"show", "last", "--json"}).out,
              AllOf(HasSubstr("\"state\": \"RUN_STATE_FINISHED\""), HasSubstr("\"verdict\": \"SKIPPED\"")));
  EXPECT_EQ(Muster({"show", "r-9"}).exit, 2);
}

TEST_F(QueryTest, Machines) {
  v1::MachineStatus away;
  away.mutable_machine()->set_name("node\x1b[31m2");
  away.set_last_seen_unix_ms(1'800'000'000'000);
  v1::Device& device = *away.mutable_machine()->add_devices();
  device.set_driver_state(v1::DRIVER_STATE_UNBOUND);
  device.set_driver_problem("no kernel driver is bound");
  fake_.AddMachine(away);
  const std::string text = Muster({"machines"}).out;
  EXPECT_THAT(text, HasSubstr("h200-1         ✓ connected            ✓ HEALTHY  NVIDIA H200"));
  EXPECT_THAT(text, AllOf(HasSubstr("node\\x1b[31m2  ✗ away for 1 min 00 s"), HasSubstr("1 GPU without driver")));
  EXPECT_THAT(Muster({"machines", "--on", "name=h200-1"}).out, Not(HasSubstr("away")));
  EXPECT_THAT(Muster({"machines", "--on", "name=x"}).err, HasSubstr("no machine matches name=x"));
  EXPECT_THAT(Muster({"machines", "--json"}).out, HasSubstr("\"connected\": true"));
  EXPECT_THAT(Muster({"machine", "node\x1b[31m2"}).out, HasSubstr("! GPU 0: UNBOUND: no kernel driver is bound\n"));
}

TEST_F(QueryTest, Machine) {
  const Outcome shown = Muster({"machine", "h200-1"});
  EXPECT_THAT(shown.out, AllOf(HasSubstr("suites     driver 1.0\n"), HasSubstr("0    NVIDIA H200  0000:41:00.0\n")));
  EXPECT_THAT(shown.out, HasSubstr("health\n  GPU 0  ✓ HEALTHY\n"));
  v1::MachineStatus unwell;
  unwell.mutable_machine()->set_name("m1");
  v1::HealthEvent& event = *unwell.mutable_health()->add_events();
  event.set_code("machine-check");
  event.set_severity(v1::EVENT_SEVERITY_CRITICAL);
  fake_.AddMachine(unwell);
  EXPECT_THAT(Muster({"machine", "m1"}).out, AllOf(HasSubstr("  events: 1 (--events)\n"), Not(HasSubstr("CRITICAL"))));
  EXPECT_THAT(Muster({"machine", "m1", "--events"}).out, HasSubstr("  CRITICAL  machine  machine-check  "));
  EXPECT_THAT(Muster({"machine", "h200-1", "--events"}).out, HasSubstr("events: none\n"));
  EXPECT_THAT(Muster({"machine", "m1", "--json"}).out, HasSubstr("\"code\": \"machine-check\""));
  const Outcome unknown = Muster({"machine", "h200-2"});
  EXPECT_EQ(unknown.exit, 2);
  EXPECT_THAT(unknown.err, HasSubstr("no machine is called h200-2"));
}

TEST_F(QueryTest, AMachineShowsWhichSuitesNeverRanOnItsGpus) {
  v1::MachineStatus status;
  v1::Device& device = *status.mutable_machine()->add_devices();
  (*device.mutable_labels())["vendor"] = "intel";
  v1::SuiteManifest& suite = *status.add_suites();
  suite.set_name("driver");
  suite.add_unproven()->set_devices("vendor=intel");
  suite.mutable_unproven(0)->set_reason("never ran there");
  status.mutable_machine()->set_name("arc1");
  fake_.AddMachine(status);
  EXPECT_THAT(Muster({"machine", "arc1"}).out, HasSubstr("not proven  driver on vendor=intel: never ran there\n"));
  device.set_simulated(true);
  status.mutable_machine()->set_name("arc2");
  fake_.AddMachine(status);
  EXPECT_THAT(Muster({"machine", "arc2"}).out, Not(HasSubstr("not proven")));
}

TEST_F(QueryTest, SimulatedGpusAreMarkedOnce) {
  v1::MachineStatus status;
  status.mutable_machine()->set_name("sim1");
  for (const char* model : {"NVIDIA H100 (simulated)", "NVIDIA H100"}) {
    v1::Device& device = *status.mutable_machine()->add_devices();
    device.set_model(model);
    device.set_simulated(true);
  }
  fake_.AddMachine(status);
  EXPECT_THAT(Muster({"machines"}).out, HasSubstr("2 × NVIDIA H100 (simulated) "));
  EXPECT_THAT(Muster({"machine", "sim1"}).out, Not(HasSubstr("(simulated) (simulated)")));
}

TEST_F(QueryTest, QuarantineAndRelease) {
  const Outcome set = Muster({"quarantine", "h200-1/GPU-h200-1", "--reason", "it burns"});
  EXPECT_EQ(set.exit, 0) << set.err;
  EXPECT_THAT(set.out, StartsWith("h200-1, device GPU-h200-1 is in quarantine: its cases are SKIPPED"));
  EXPECT_THAT(Muster({"machines"}).out, HasSubstr("✓ HEALTHY, 1 QUARANTINED"));
  EXPECT_THAT(Muster({"machine", "h200-1"}).out, HasSubstr("QUARANTINED for 1 min 00 s by tester: it burns\n"));
  EXPECT_THAT(Muster({"machines", "--json"}).out, HasSubstr("\"reason\": \"it burns\""));
  EXPECT_EQ(Completions({"release", "h"}), "h200-1/GPU-h200-1\tit burns\n");
  EXPECT_EQ(Muster({"release", "h200-1/GPU-h200-1"}).out,
            "h200-1, device GPU-h200-1 is released; it was quarantined by tester: it burns\n");
  EXPECT_EQ(Muster({"release", "h200-1/GPU-h200-1"}).exit, 2) << "there is none any more";
  EXPECT_THAT(Muster({"quarantine", "h200-1", "--reason", "moves", "--json"}).out, HasSubstr("\"reason\": \"moves\""));
  EXPECT_THAT(Muster({"machines"}).out, HasSubstr("✓ HEALTHY, QUARANTINED"));
}

TEST_F(QueryTest, QuarantineWantsATargetAndAReason) {
  EXPECT_EQ(Muster({"quarantine", "h200-1"}).exit, 2);
  EXPECT_EQ(Muster({"quarantine", "--reason", "x"}).exit, 2);
  EXPECT_THAT(Muster({"quarantine", "h200-1/", "--reason", "x"}).err, HasSubstr("expected MACHINE or MACHINE/DEVICE"));
  EXPECT_EQ(Muster({"quarantine", "h200-9", "--reason", "x"}).exit, 2);
  EXPECT_EQ(Completions({"quarantine", "h"}), "h200-1\tthe whole machine\nh200-1/0\tNVIDIA H200\n");
}

TEST_F(QueryTest, Plans) {
  EXPECT_THAT(Muster({"plans"}).out, HasSubstr("smoke  quick  driver      a plan of the test\n"));
}

TEST_F(QueryTest, Cancel) {
  RunSmoke();
  EXPECT_EQ(Muster({"cancel", "last", "--reason", "enough"}).out, "r-0000000000010 has ended (GREEN)\n");
  EXPECT_EQ(Muster({"cancel", "r-9"}).exit, 2);
}

TEST_F(QueryTest, Logs) {
  RunSmoke();
  fake_.SetLog("r-0000000000010/1", v1::LOG_STREAM_STDERR, "from the program\n\x1b[2J");
  fake_.SetLog("r-0000000000010/1", v1::LOG_STREAM_AGENT, "from the agent\n");
  EXPECT_EQ(Muster({"logs", "r-0000000000010/1", "--stream", "stderr"}).out, "from the program\n\x1b[2J")
      << "a file gets what was written";
  EXPECT_THAT(Muster({"logs", "last"}).out,
              AllOf(StartsWith("==> r-0000000000010/1  h200-1  driver <==\n"), HasSubstr("from the agent")));
  terminal_ = true;
  EXPECT_EQ(Muster({"logs", "r-0000000000010/1", "--stream", "stderr"}).out, "from the program\n\\x1b[2J")
      << "a terminal is not driven by it";
  EXPECT_EQ(Muster({"logs", "last", "--stream", "x"}).exit, 2);
}

TEST_F(QueryTest, Artifacts) {
  RunSmoke();
  EXPECT_THAT(Muster({"artifacts", "last"}).err, HasSubstr("no artifacts"));
  fake_.SetArtifact("r-0000000000010/1", "trace.json", "0123456789");
  EXPECT_THAT(Muster({"artifacts", "last"}).out, HasSubstr("r-0000000000010/1        1  trace.json  10 B\n"));
  EXPECT_EQ(Muster({"artifact", "get", "r-0000000000010/1", "trace.json", "-o", "-"}).out, "0123456789");
  const std::string path = ::testing::TempDir() + "/trace.copy";
  EXPECT_EQ(Muster({"artifact", "get", "r-0000000000010/1", "trace.json", "-o", path}).exit, 0);
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  EXPECT_EQ(content.str(), "0123456789");
  EXPECT_EQ(Muster({"artifact", "get", "r-0000000000010/1", "../../etc/passwd"}).exit, 2) << "a name is no path";
  EXPECT_EQ(Muster({"artifact", "get", "r-0000000000010/1", "other", "-o", path + "2"}).exit, 2);
  EXPECT_FALSE(std::ifstream(path + "2").good()) << "nothing is left of what could not be had";
}

TEST_F(QueryTest, Report) {
  RunSmoke();
  EXPECT_EQ(Muster({"report", "last", "--format", "ocptv"}).out, "report REPORT_FORMAT_OCPTV of r-0000000000010\n");
  EXPECT_EQ(Muster({"report", "last", "--format", "pdf"}).exit, 2);
}

TEST_F(QueryTest, TokenCreate) {
  const Outcome made = Muster({"token", "create", "--role", "operator", "--name", "alice", "--lifetime", "2d"});
  EXPECT_EQ(made.out, "muster1.id.secret.ca\n") << "alone, for $(…)";
  EXPECT_EQ(fake_.last_token().role(), v1::ROLE_OPERATOR);
  EXPECT_EQ(fake_.last_token().name(), "alice");
  EXPECT_EQ(fake_.last_token().lifetime_ms(), 2 * 24 * 3'600'000);
  Muster({"token", "create"});
  EXPECT_EQ(fake_.last_token().role(), v1::ROLE_AGENT);
  EXPECT_EQ(fake_.last_token().lifetime_ms(), 3'600'000);
  for (const char* lifetime : {"31d", "0s", "-1h", "soon", ""})
    EXPECT_EQ(Muster({"token", "create", "--lifetime", lifetime}).exit, 2) << lifetime;
  EXPECT_EQ(Muster({"token", "create", "--name", "Not A Name"}).exit, 2);
}

TEST_F(QueryTest, PermissionDeniedNamesTheIdentity) {
  fake_.FailNext({grpc::StatusCode::PERMISSION_DENIED, "this needs the role admin"});
  const Outcome denied = Muster({"token", "create"});
  EXPECT_EQ(denied.exit, 3);
  EXPECT_THAT(denied.err, HasSubstr("this needs the role admin (identity: none)"));
}

TEST_F(QueryTest, AnOlderCoordinatorIsSaidToBeOne) {
  fake_.FailNext({grpc::StatusCode::UNIMPLEMENTED, ""});
  EXPECT_THAT(Muster({"plans"}).err, HasSubstr("may be older than this `muster`"));
}

TEST_F(QueryTest, PlaintextIsForThisMachineAlone) {
  const Outcome refused = Muster({"runs", "--coordinator", "192.0.2.1:7443"});
  EXPECT_EQ(refused.exit, 2);
  EXPECT_THAT(refused.err, HasSubstr("192.0.2.1:7443"));
}

TEST_F(QueryTest, HelpAndVersion) {
  EXPECT_EQ(Muster({"--help"}).exit, 0);
  EXPECT_THAT(Muster({"--help"}).out, AllOf(HasSubstr("Examples:"), HasSubstr("Exit status:")));
  EXPECT_THAT(Muster({"run", "--help"}).out, HasSubstr("--reconnect-for"));
  EXPECT_THAT(Muster({"version"}).out, StartsWith("muster "));
  EXPECT_THAT(Muster({"token", "create", "--nope"}).err, HasSubstr("Try: muster token create --help"));
}

// Completion follows the structure of the commands; what it looks up comes from the coordinator.
TEST_F(QueryTest, Completes) {
  RunSmoke();
  EXPECT_EQ(Completions({"mach"}),
            "machines\tList the machines of the fleet\nmachine\tShow a machine: GPUs, links, health, suites, problems, "
            "leases\n");
  EXPECT_EQ(Completions({"run", ""}), "smoke\ta plan of the test\n");
  EXPECT_EQ(Completions({"run", "smoke", "--suite", "d"}), "driver\n");
  EXPECT_EQ(Completions({"run", "smoke", "--level", ""}), "quick\nmedium\nlong\nstress\n");
  EXPECT_EQ(Completions({"run", "--junit", ""}), ":files\n");
  EXPECT_EQ(Completions({"show", ""}), "last\nr-0000000000010\tsmoke\n");
  EXPECT_EQ(Completions({"logs", "r-"}), "r-0000000000010\tsmoke\nr-0000000000010/1\tsmoke\n");
  EXPECT_EQ(Completions({"machine", ""}), "h200-1\tconnected\n");
  EXPECT_EQ(Completions({"token", ""}), "create\tMake a token: short-lived, good for one enrolment\n");
  EXPECT_THAT(Completions({"run", "--"}), AllOf(HasSubstr("--suite\t"), HasSubstr("--coordinator\t")));
  EXPECT_EQ(Completions({"run", "--set", ""}), "");
  EXPECT_EQ(Completions({"--color", "a", "sho"}),
            "show\tShow what a run found: verdicts, reasons, figures with units\n");
  EXPECT_THAT(Muster({"completion", "bash"}).out, HasSubstr("complete -F _muster muster"));
  EXPECT_EQ(Muster({"completion", "csh"}).exit, 2);
}

TEST_F(QueryTest, CompletionIsSilentWithoutACoordinator) {
  fake_.StopServing();
  EXPECT_EQ(Completions({"run", ""}), "");
}

}  // namespace
}  // namespace muster::cli
