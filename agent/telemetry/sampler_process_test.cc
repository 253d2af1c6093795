#include "agent/telemetry/sampler_process.h"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"

namespace muster::agent {
namespace {

using State = SamplerStatus::State;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::chrono::seconds kPatience{60};

size_t CountEntries(const std::string& folder) {
  size_t count = 0;
  DIR* open = opendir(folder.c_str());
  for (const dirent* entry = readdir(open); entry != nullptr; entry = readdir(open)) count += entry->d_name[0] != '.';
  closedir(open);
  return count;
}
size_t Threads() { return CountEntries("/proc/self/task"); }
size_t Descriptors() { return CountEntries("/proc/self/fd"); }

// Children of any thread of this process, dead ones that nobody has reaped included.
std::vector<pid_t> Children() {
  std::vector<pid_t> children;
  DIR* proc = opendir("/proc");
  for (const dirent* entry = readdir(proc); entry != nullptr; entry = readdir(proc)) {
    std::ifstream file(std::string("/proc/") + entry->d_name + "/stat");
    std::string stat;
    if (!std::getline(file, stat) || stat.rfind(')') == std::string::npos) continue;
    pid_t parent = 0;
    char state = 0;
    if (std::sscanf(stat.c_str() + stat.rfind(')') + 1, " %c %d", &state, &parent) == 2 && parent == getpid()) {
      children.push_back(std::atoi(entry->d_name));
    }
  }
  closedir(proc);
  return children;
}

class SamplerProcessTest : public ::testing::Test {
 protected:
  SamplerProcessTest() {
    options_.self_path = MUSTER_SAMPLER_CHILD;
    options_.interval_ms = 20;
    options_.hang_after_ms = 5'000;
    options_.restart_pause_ms = 10;
    options_.max_restart_pause_ms = 40;
    setenv("SAMPLER_CHILD_FAULT", fault_file_.c_str(), 1);
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~SamplerProcessTest() override {
    Stop();
    loop_.Stop();
    thread_.join();
    std::remove(fault_file_.c_str());
  }

  // What children that start from now on do.
  void SetFault(const char* fault) {
    const std::string next = fault_file_ + ".next";
    std::ofstream(next) << fault;
    ASSERT_EQ(std::rename(next.c_str(), fault_file_.c_str()), 0);
  }
  void Start(const char* fault) {
    SetFault(fault);
    OnLoop([this] {
      sampler_ = SamplerProcess::Start(loop_, options_,
                                       {.on_samples = [this](auto samples) { OnSamples(std::move(samples)); },
                                        .on_status = [this](const auto& status) { OnStatus(status); }});
    });
  }
  void Stop() {
    OnLoop([this] { sampler_.reset(); });
  }
  void LookAgain() {
    OnLoop([this] { sampler_->LookAgain(); });
  }

  // Whether it came to hold in time.
  bool WaitUntil(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    base::MutexLock lock(mutex_);
    while (!condition()) {
      if (!changed_.WaitUntil(mutex_, until)) return condition();
    }
    return true;
  }
  bool WaitForTurns(size_t count) {
    return WaitUntil([&, before = turns_.size()] { return turns_.size() >= before + count; });
  }
  bool WaitForState(State state) {
    return WaitUntil([&] { return !statuses_.empty() && statuses_.back().state == state; });
  }
  SamplerStatus Last() {
    base::MutexLock lock(mutex_);
    return statuses_.empty() ? SamplerStatus{} : statuses_.back();
  }
  // The first status of this state.
  SamplerStatus First(State state) {
    base::MutexLock lock(mutex_);
    for (const SamplerStatus& status : statuses_) {
      if (status.state == state) return status;
    }
    return SamplerStatus{};
  }
  std::vector<std::string> DevicesOfLastTurn() {
    base::MutexLock lock(mutex_);
    return turns_.back();
  }

  const std::string fault_file_ = absl::StrCat(::testing::TempDir(), "sampler_child_fault.", getpid());
  SamplerProcess::Options options_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<SamplerStatus> statuses_;
  std::vector<std::vector<std::string>> turns_;

 private:
  void OnLoop(const std::function<void()>& task) {
    bool done = false;
    loop_.Post([&] {
      task();
      base::MutexLock lock(mutex_);
      done = true;
      changed_.NotifyAll();
    });
    base::MutexLock lock(mutex_);
    while (!done) changed_.Wait(mutex_);
  }
  void OnSamples(const std::vector<v1::DeviceSample>& samples) {
    base::MutexLock lock(mutex_);
    auto& turn = turns_.emplace_back();
    for (const auto& sample : samples) turn.push_back(sample.pci_address());
    changed_.NotifyAll();
  }
  void OnStatus(const SamplerStatus& status) {
    base::MutexLock lock(mutex_);
    statuses_.push_back(status);
    changed_.NotifyAll();
  }

  base::ThreadEventLoop loop_;
  std::unique_ptr<SamplerProcess> sampler_;
  std::thread thread_;
};

TEST_F(SamplerProcessTest, SamplesComeUp) {
  Start("");
  ASSERT_TRUE(WaitForTurns(5));
  EXPECT_THAT(DevicesOfLastTurn(), ElementsAre("0000:01:00.0", "0000:02:00.0", "0000:03:00.0"));
  EXPECT_EQ(Last().state, State::kRunning);
  EXPECT_EQ(Last().hangs + Last().crashes, 0u);
}

TEST_F(SamplerProcessTest, StopLeavesNothingBehind) {
  const size_t threads = Threads();
  const size_t descriptors = Descriptors();
  Start("");
  ASSERT_TRUE(WaitForTurns(1));
  EXPECT_EQ(Children().size(), 1u);
  Stop();
  EXPECT_THAT(Children(), IsEmpty());
  EXPECT_EQ(Threads(), threads);
  EXPECT_EQ(Descriptors(), descriptors);
}

TEST_F(SamplerProcessTest, DeviceThatHangsIsNamedAndSkippedAndTheOthersGoOn) {
  options_.hang_after_ms = 400;
  Start("hang-device");
  ASSERT_TRUE(WaitForTurns(20));
  const SamplerStatus hung = First(State::kHung);
  EXPECT_EQ(hung.hung_device, "0000:02:00.0");
  EXPECT_EQ(hung.hung_call, "fakeGetTemperature");
  EXPECT_THAT(hung.detail, HasSubstr("fakeGetTemperature on 0000:02:00.0 has not returned for "));
  EXPECT_EQ(hung.hangs, 1u);
  EXPECT_THAT(hung.skipped, ElementsAre("0000:02:00.0"));
  EXPECT_THAT(DevicesOfLastTurn(), ElementsAre("0000:01:00.0", "0000:03:00.0"));
  EXPECT_EQ(Last().hangs, 1u);
  EXPECT_EQ(Last().state, State::kRunning);
  EXPECT_EQ(Last().hung_device, "");
}

TEST_F(SamplerProcessTest, NothingPilesUpOverManyHangs) {
  const size_t threads = Threads();
  options_.hang_after_ms = 40;
  options_.skip_ms = 1;
  Start("hang-device");
  for (uint64_t hangs = 1; hangs <= 12; ++hangs) {
    ASSERT_TRUE(WaitUntil([&] { return !statuses_.empty() && statuses_.back().hangs >= hangs; }));
    EXPECT_LE(Children().size(), 1u);
    EXPECT_EQ(Threads(), threads + 1);
  }
  Stop();
  EXPECT_THAT(Children(), IsEmpty());
  EXPECT_EQ(Threads(), threads);
}

TEST_F(SamplerProcessTest, NoOtherChildStartsWhileTheHungOneCannotBeKilled) {
  options_.kill_signal = SIGTERM;
  options_.hang_after_ms = 100;
  options_.skip_ms = 1;
  Start("hang-unkillable");
  ASSERT_TRUE(WaitForState(State::kHung));
  const std::vector<pid_t> hung = Children();
  ASSERT_EQ(hung.size(), 1u);
  // Long enough for many restarts: no state may follow.
  EXPECT_FALSE([&] {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
    base::MutexLock lock(mutex_);
    while (statuses_.back().state == State::kHung && changed_.WaitUntil(mutex_, until)) {
    }
    return statuses_.back().state != State::kHung;
  }());
  EXPECT_EQ(Children(), hung);
  EXPECT_EQ(Last().hangs, 1u);
  // The driver lets go of it at last.
  SetFault("");
  kill(hung[0], SIGKILL);
  ASSERT_TRUE(WaitForState(State::kRunning));
  ASSERT_TRUE(WaitForTurns(1));
  EXPECT_THAT(DevicesOfLastTurn(), ElementsAre("0000:01:00.0", "0000:02:00.0", "0000:03:00.0"));
}

TEST_F(SamplerProcessTest, SkippedDeviceIsAskedAgain) {
  options_.skip_ms = 300;
  options_.hang_after_ms = 200;
  Start("hang-device");
  ASSERT_TRUE(WaitUntil([&] { return !turns_.empty() && turns_.back().size() == 2; }));
  SetFault("");  // For the child after the one that runs.
  ASSERT_TRUE(WaitUntil([&] { return !turns_.empty() && turns_.back().size() == 3; }));
  EXPECT_THAT(Last().skipped, IsEmpty());
}

TEST_F(SamplerProcessTest, StartThatHangsIsOfNoDevice) {
  options_.hang_after_ms = 50;
  Start("hang-start");
  ASSERT_TRUE(WaitForState(State::kHung));
  const SamplerStatus hung = First(State::kHung);
  EXPECT_EQ(hung.hung_device, "");
  EXPECT_EQ(hung.hung_call, "fakeInit");
  EXPECT_THAT(hung.detail, HasSubstr("has not started"));
  EXPECT_THAT(hung.skipped, IsEmpty());
}

TEST_F(SamplerProcessTest, ChildThatStallsOutsideItsCallsHangsToo) {
  options_.hang_after_ms = 50;
  Start("stall");
  ASSERT_TRUE(WaitForState(State::kHung));
  EXPECT_EQ(First(State::kHung).hung_call, "");
  EXPECT_THAT(First(State::kHung).detail, HasSubstr("one turn has lasted for"));
}

TEST_F(SamplerProcessTest, NonsenseInTheSharedMemoryHarmsNobody) {
  options_.hang_after_ms = 50;
  Start("scribble");
  ASSERT_TRUE(WaitForState(State::kHung));
  EXPECT_THAT(First(State::kHung).hung_device.size(), ::testing::Le(32u));
}

TEST_F(SamplerProcessTest, SlowTurnsAreNoHangs) {
  Start("slow");
  ASSERT_TRUE(WaitForTurns(5));
  EXPECT_EQ(Last().hangs, 0u);
}

TEST_F(SamplerProcessTest, CrashIsCountedToldAndFollowedByARestart) {
  Start("crash-device");
  ASSERT_TRUE(WaitForState(State::kBroken));
  const SamplerStatus broken = First(State::kBroken);
  EXPECT_EQ(broken.crashes, 1u);
  EXPECT_THAT(broken.detail,
              AllOf(HasSubstr("crashed with SIGABRT in fakeGetTemperature on 0000:02:00.0"), HasSubstr("last words")));
  // The second crash on the same device has it left alone.
  ASSERT_TRUE(WaitForTurns(3));
  EXPECT_EQ(Last().crashes, 2u);
  EXPECT_THAT(Last().skipped, ElementsAre("0000:02:00.0"));
  EXPECT_THAT(DevicesOfLastTurn(), ElementsAre("0000:01:00.0", "0000:03:00.0"));
}

TEST_F(SamplerProcessTest, WhatIsNoSamplerIsACrash) {
  const std::pair<const char*, const char*> cases[] = {
      {"rubbish", "not as expected"},       {"long-frame", "a frame of 2147483647 bytes"},
      {"flood", "much faster than"},        {"flood-words", "messages without end"},
      {"exit", "ended with exit status 7"}, {"close", "closed its output"}};
  for (const auto& [fault, detail] : cases) {
    {
      base::MutexLock lock(mutex_);
      statuses_.clear();
    }
    Start(fault);
    ASSERT_TRUE(WaitForState(State::kBroken)) << fault;
    EXPECT_THAT(First(State::kBroken).detail, HasSubstr(detail)) << fault;
    EXPECT_GE(First(State::kBroken).crashes, 1u) << fault;
    Stop();
    EXPECT_THAT(Children(), IsEmpty()) << fault;
  }
}

TEST_F(SamplerProcessTest, WhatTheLibrarySaysIsNoCrash) {
  for (const auto& [fault, detail] : {std::pair("broken", "library and driver differ"),
                                      std::pair("sample-error", "the library wants to be started anew")}) {
    {
      base::MutexLock lock(mutex_);
      statuses_.clear();
    }
    Start(fault);
    ASSERT_TRUE(WaitForState(State::kBroken)) << fault;
    EXPECT_EQ(First(State::kBroken).detail, detail);
    EXPECT_EQ(Last().crashes, 0u);
    Stop();
  }
}

TEST_F(SamplerProcessTest, AbsentLibraryCostsNoChildAndIsAskedAgain) {
  Start("absent");
  ASSERT_TRUE(WaitForState(State::kAbsent));
  EXPECT_EQ(Last().detail, "found no library");
  ASSERT_TRUE(WaitUntil([] { return Children().empty(); }));
  SetFault("");
  LookAgain();
  ASSERT_TRUE(WaitForTurns(1));
  EXPECT_EQ(Last().state, State::kRunning);
}

TEST_F(SamplerProcessTest, ProgramThatIsNotThere) {
  options_.self_path = "/nonexistent/muster-agent";
  Start("");
  ASSERT_TRUE(WaitForState(State::kBroken));
  EXPECT_THAT(Last().detail, HasSubstr("/nonexistent/muster-agent"));
  EXPECT_EQ(Last().crashes, 0u);
}

// A sampler's child started by hand, its frames in a pipe.
struct LooseChild {
  pid_t pid = -1;
  int frames = -1;
};

// As a grandchild when `starter` is given: that process starts it and waits for ever.
LooseChild StartLoose(pid_t* starter) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    if (starter == nullptr || fork() == 0) {
      execl(MUSTER_SAMPLER_CHILD, MUSTER_SAMPLER_CHILD, "--sampler=nvml", "--interval-ms=20", nullptr);
      _exit(127);
    }
    close(STDOUT_FILENO);
    while (true) pause();
  }
  close(ends[1]);
  if (starter != nullptr) *starter = pid;
  return {.pid = pid, .frames = ends[0]};
}

TEST_F(SamplerProcessTest, ChildEndsWhenNobodyReadsIt) {
  SetFault("");
  const LooseChild child = StartLoose(nullptr);
  char byte;
  ASSERT_EQ(read(child.frames, &byte, 1), 1);
  close(child.frames);
  int status = 0;
  ASSERT_EQ(waitpid(child.pid, &status, 0), child.pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(SamplerProcessTest, ChildEndsWhenItsStarterIsKilled) {
  SetFault("");
  pid_t starter = -1;
  const LooseChild child = StartLoose(&starter);
  char bytes[4096];
  ASSERT_GT(read(child.frames, bytes, sizeof(bytes)), 0);
  kill(starter, SIGKILL);
  waitpid(starter, nullptr, 0);
  while (read(child.frames, bytes, sizeof(bytes)) > 0) {
  }  // Until its end, or the test's own time limit.
  close(child.frames);
}

}  // namespace
}  // namespace muster::agent
