#include "base/subprocess.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <thread>

namespace muster::base {
namespace {

using ::testing::HasSubstr;

// Reads until the end of the stream.
std::string ReadAll(OwnedFd& fd) {
  std::string all;
  while (true) {
    pollfd readable{.fd = fd.get(), .events = POLLIN, .revents = 0};
    poll(&readable, 1, -1);
    char buffer[4096];
    const ssize_t got = read(fd.get(), buffer, sizeof(buffer));
    if (got == 0) return all;
    if (got > 0) all.append(buffer, got);
  }
}

Subprocess::End Wait(Subprocess& child) {
  pollfd ended{.fd = child.pidfd(), .events = POLLIN, .revents = 0};
  poll(&ended, 1, -1);
  return child.Reap().value();
}

Subprocess::Options Shell(const std::string& script) {
  return {.program = "/bin/sh", .arguments = {"-c", script}, .environment = {"GIVEN=yes"}};
}

TEST(SubprocessTest, GivesOutputAndExitCode) {
  auto child = Subprocess::Start(Shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(ReadAll(child->stdout_fd()), "out\n");
  EXPECT_EQ(ReadAll(child->stderr_fd()), "err\n");
  EXPECT_EQ(Wait(*child).exit_code, 3);
  EXPECT_EQ(child->Reap()->exit_code, 3);
}

TEST(SubprocessTest, SaysWhyItDidNotStart) {
  const auto missing = Subprocess::Start({.program = "/no/such/program"});
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(missing.status().message(), HasSubstr("/no/such/program: exec failed"));
  Subprocess::Options nowhere = Shell("exit 0");
  nowhere.working_directory = "/no/such/folder";
  EXPECT_THAT(Subprocess::Start(nowhere).status().message(), HasSubstr("chdir failed"));
}

TEST(SubprocessTest, PassesOnlyTheGivenEnvironmentAndDescriptors) {
  const int leak = open("/dev/null", O_RDONLY);  // Not close-on-exec, on purpose.
  auto child = Subprocess::Start(Shell("/usr/bin/env; ls /proc/self/fd; readlink /proc/self/fd/0; ulimit -c"));
  ASSERT_TRUE(child.ok());
  const std::string seen = ReadAll(child->stdout_fd());
  close(leak);
  EXPECT_THAT(seen, HasSubstr("GIVEN=yes"));
  EXPECT_THAT(seen, ::testing::Not(HasSubstr("HOME=")));
  // 3 is ls's own view of the folder.
  EXPECT_THAT(seen, HasSubstr("0\n1\n2\n3\n/dev/null\n0\n"));
}

TEST(SubprocessTest, KeepsNoIgnoredOrBlockedSignal) {
  signal(SIGPIPE, SIG_IGN);
  auto child = Subprocess::Start(Shell("grep -E 'Sig(Blk|Ign)' /proc/self/status"));
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(ReadAll(child->stdout_fd()), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  signal(SIGPIPE, SIG_DFL);
}

TEST(SubprocessTest, SignalReachesTheWholeGroup) {
  auto child = Subprocess::Start(Shell("sleep 1000 & echo ready; wait"));
  ASSERT_TRUE(child.ok());
  char ready[6];
  pollfd readable{.fd = child->stdout_fd().get(), .events = POLLIN, .revents = 0};
  poll(&readable, 1, -1);
  ASSERT_EQ(read(child->stdout_fd().get(), ready, 6), 6);
  child->SignalGroup(SIGKILL);
  EXPECT_EQ(ReadAll(child->stdout_fd()), "");  // Ends only when sleep, who holds the pipe, is gone too.
  EXPECT_EQ(Wait(*child).signal, SIGKILL);
}

TEST(SubprocessTest, EndsWithTheThreadThatStartedItWhenAsked) {
  Subprocess::Options options = Shell("exec sleep 1000");
  options.ends_with_parent = true;
  std::optional<absl::StatusOr<Subprocess>> child;
  std::thread([&] { child.emplace(Subprocess::Start(options)); }).join();
  ASSERT_TRUE(child->ok()) << child->status();
  EXPECT_EQ(Wait(**child).signal, SIGTERM);
}

TEST(SubprocessTest, LimitsAddressSpace) {
  Subprocess::Options options = Shell("ulimit -v");
  options.address_space_bytes = uint64_t{512} << 20;
  auto child = Subprocess::Start(options);
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(ReadAll(child->stdout_fd()), "524288\n");
}

TEST(SubprocessTest, BecomesAnotherUserForGood) {
  if (getuid() != 0) GTEST_SKIP() << "only root can become another user";
  Subprocess::Options options = Shell("id -u; id -g; id -G; grep NoNewPrivs /proc/self/status");
  options.user = Subprocess::User{.uid = 65534, .gid = 65534, .groups = {65534}};
  auto child = Subprocess::Start(options);
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_EQ(ReadAll(child->stdout_fd()), "65534\n65534\n65534\nNoNewPrivs:\t1\n");
}

TEST(SubprocessTest, FindsUsers) {
  EXPECT_EQ(FindUser("root")->uid, 0u);
  EXPECT_EQ(FindUser("no-such-user-here").status().code(), absl::StatusCode::kNotFound);
}

TEST(SubprocessTest, DestructionKills) {
  pid_t pid = 0;
  {
    auto child = Subprocess::Start(Shell("sleep 1000"));
    ASSERT_TRUE(child.ok());
    pid = child->pid();
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(SubprocessTest, NamesSignals) {
  EXPECT_EQ(SignalName(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(SignalName(99), "signal 99");
}

}  // namespace
}  // namespace muster::base
