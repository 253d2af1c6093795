// The program muster-sim itself, as a child.
#include "tests/hardware_sim/simulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>

#include "base/fixture_tree.h"
#include "base/pci.h"
#include "base/subprocess.h"

namespace muster::sim {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int kPatienceMs = 60'000;

// What arrives on `fd` until its end, or until it ends with `last_words`.
std::string ReadUntil(int fd, const std::string& last_words) {
  std::string text;
  char piece[4096];
  while (last_words.empty() || !text.ends_with(last_words)) {
    pollfd waiting = {.fd = fd, .events = POLLIN};
    if (poll(&waiting, 1, kPatienceMs) != 1) break;
    const ssize_t size = read(fd, piece, sizeof(piece));
    if (size <= 0) break;
    text.append(piece, static_cast<size_t>(size));
  }
  return text;
}

int ExitCodeOf(base::Subprocess& child) {
  pollfd waiting = {.fd = child.pidfd(), .events = POLLIN};
  poll(&waiting, 1, kPatienceMs);
  const auto end = child.Reap();
  return end.has_value() && end->exit_code.has_value() ? *end->exit_code : -1;
}

class MusterSim : public ::testing::Test {
 protected:
  MusterSim() {
    folder_.Write("/good", "machines { name: 'm' devices { model: H100 } devices { model: ARC_A770 } }");
    folder_.Write("/bad", "machines { name: 'm' devices { } }");
  }
  static base::Subprocess Start(std::vector<std::string> arguments) {
    auto child = base::Subprocess::Start({.program = MUSTER_SIM, .arguments = std::move(arguments)});
    EXPECT_TRUE(child.ok()) << child.status();
    return *std::move(child);
  }
  // What it prints, on both descriptors, and its exit status behind it.
  static std::string Run(std::vector<std::string> arguments) {
    base::Subprocess child = Start(std::move(arguments));
    std::string text = ReadUntil(child.stdout_fd().get(), "");
    text += ReadUntil(child.stderr_fd().get(), "");
    return text + "exit " + std::to_string(ExitCodeOf(child));
  }
  std::string Path(const std::string& name) const { return folder_.root() + "/" + name; }

  base::FixtureTree folder_;
};

TEST_F(MusterSim, ChecksScenarios) {
  EXPECT_EQ(Run({"check", Path("good")}),
            "m: 2 devices\n  0000:19:00.0  NVIDIA H100 80GB HBM3 (simulated)\n"
            "  0000:31:00.0  Intel(R) Arc(TM) A770 Graphics (simulated)\nexit 0");
  EXPECT_THAT(Run({"check", Path("bad")}),
              AllOf(HasSubstr("machines[0].devices[0].model: expected"), HasSubstr("exit 2")));
}

TEST_F(MusterSim, SaysWhatToExport) {
  const std::string text = Run({"env", "--scenario", Path("good"), "--machine", "m", "--start-unix-ms", "4711"});
  EXPECT_THAT(text,
              AllOf(HasSubstr("export MUSTER_SIM_SCENARIO='" + Path("good") + "'\n"),
                    HasSubstr("export MUSTER_SIM_MACHINE='m'\n"), HasSubstr("export MUSTER_SIM_START_UNIX_MS='4711'\n"),
                    HasSubstr("export LD_LIBRARY_PATH='" MUSTER_SIMULATED_NVML "'\n"),
                    HasSubstr("export ZE_ENABLE_ALT_DRIVERS='" MUSTER_SIM_ZE_DRIVER "'\n"), HasSubstr("exit 0")));
  EXPECT_THAT(Run({"env", "--scenario", Path("good"), "--machine", "n"}),
              AllOf(HasSubstr("expected one called 'n'"), HasSubstr("exit 2")));
}

TEST_F(MusterSim, ServesUntilItIsTold) {
  base::Subprocess child = Start({"serve", "--scenario", Path("good"), "--machine", "m", "--root", Path("root")});
  ASSERT_EQ(ReadUntil(child.stdout_fd().get(), "ready\n"), "ready\n");
  EXPECT_THAT(*base::PciGpus(base::RootFolder(Path("root"))), SizeIs(2));
  child.SignalGroup(SIGTERM);
  EXPECT_EQ(ExitCodeOf(child), 0);
}

TEST(Environment, IsQuotedForTheShell) { EXPECT_EQ(ForShell({{"A", "it's"}}), "export A='it'\\''s'\n"); }

}  // namespace
}  // namespace muster::sim
