// Real programs, end to end within the executor: each of selftest's misbehaviours and what becomes of it.
#include "agent/executor/process_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "agent/executor/process_scan.h"
#include "base/text.h"

namespace muster::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSuites[] = MUSTER_TEST_SUITES;

struct Outcome {
  std::vector<v1::Event> events;
  std::map<std::string, v1::CaseResult> results;
  std::map<v1::LogStream, std::string> logs;
  std::map<std::string, std::string> artifacts;
  v1::JobFinished finished;

  v1::Verdict Of(const std::string& name) const {
    const auto found = results.find(name);
    return found == results.end() ? v1::MISSED : found->second.outcome();
  }
  std::string Findings(const std::string& name) const {
    std::string all;
    for (const auto& text : results.at(name).findings()) all += text + "\n";
    for (const auto& text : finished.findings()) all += text + "\n";
    return all;
  }
};

class ProcessExecutorTest : public ::testing::TestWithParam<Enclosures::Means> {
 protected:
  ProcessExecutorTest() : work_(::testing::TempDir() + base::Text("/executor-", getpid(), "-", ++counter_)) {
    loop_thread_ = std::thread([this] { loop_.Run(); });
    Create({});
  }
  ~ProcessExecutorTest() override {
    OnLoop([this] { executor_.reset(); });
    loop_.Stop();
    loop_thread_.join();
    std::filesystem::remove_all(work_);
  }

  void Create(ProcessExecutor::Options options) {
    options.suites_folder = kSuites;
    options.work_folder = work_;
    options.enclosure_means = GetParam();
    OnLoop([&] {
      executor_.reset();
      auto executor = ProcessExecutor::Create(options, &loop_, [this] { return machine_; });
      ASSERT_TRUE(executor.ok()) << executor.status();
      executor_ = *std::move(executor);
      executor_->SetSink([this](const v1::JobRef&, v1::Event event) { Take(std::move(event)); });
    });
  }

  void OnLoop(const std::function<void()>& task) {
    base::Mutex mutex;
    base::CondVar done;
    bool ran = false;
    loop_.Post([&] {
      task();
      base::MutexLock lock(mutex);
      ran = true;
      done.NotifyOne();
    });
    base::MutexLock lock(mutex);
    while (!ran) done.Wait(mutex);
  }

  // On the loop.
  void Take(v1::Event event) {
    base::MutexLock lock(mutex_);
    if (event.has_log()) outcome_.logs[event.log().stream()] += event.log().data();
    if (event.has_artifact()) outcome_.artifacts[event.artifact().name()] += event.artifact().data();
    if (event.has_case_finished()) outcome_.results[event.case_finished().case_name()] = event.case_finished();
    if (event.has_job_finished()) outcome_.finished = event.job_finished();
    finished_ |= event.has_job_finished();
    if (event.has_log()) event.mutable_log()->clear_data();
    outcome_.events.push_back(std::move(event));
    changed_.NotifyAll();
  }

  absl::Status Start(const v1::JobSpec& spec) {
    absl::Status status;
    OnLoop([&] { status = executor_->Start(ref_, spec); });
    return status;
  }
  void Cancel(std::string_view reason) {
    OnLoop([&] { executor_->Cancel(ref_, reason); });
  }
  Outcome WaitFinished() {
    base::MutexLock lock(mutex_);
    while (!finished_) changed_.Wait(mutex_);
    finished_ = false;
    return std::exchange(outcome_, {});
  }
  void WaitCaseStarted() {
    base::MutexLock lock(mutex_);
    const auto started = [this] {
      return std::any_of(outcome_.events.begin(), outcome_.events.end(),
                         [](const v1::Event& e) { return e.has_case_started(); });
    };
    while (!started()) changed_.Wait(mutex_);
  }

  static v1::JobSpec Spec(const std::string& suite, const std::vector<std::string>& cases) {
    v1::JobSpec spec;
    spec.set_suite(suite);
    spec.set_suite_version("1");
    spec.set_level(v1::LEVEL_QUICK);
    for (const std::string& name : cases) spec.add_cases(name);
    return spec;
  }
  Outcome RunSpec(const v1::JobSpec& spec) {
    ref_.set_job_id("r-0000000000000/1");
    ref_.set_attempt(1);
    ref_.set_epoch(ref_.epoch() + 1);
    const absl::Status status = Start(spec);
    EXPECT_TRUE(status.ok()) << status;
    return status.ok() ? WaitFinished() : Outcome{};
  }
  Outcome Run(const std::vector<std::string>& cases, const std::string& suite = "selftest") {
    return RunSpec(Spec(suite, cases));
  }
  // Live processes that the attempt's environment marks or whose session is `session`.
  static int Survivors(int64_t session) {
    int count = 0;
    for (const ProcessEntry& process : ListProcesses()) count += !process.zombie && process.session == session ? 1 : 0;
    return count;
  }

  static inline int counter_ = 0;
  const std::string work_;
  base::ThreadEventLoop loop_;
  std::thread loop_thread_;
  v1::Machine machine_;
  std::unique_ptr<ProcessExecutor> executor_;
  v1::JobRef ref_;

  base::Mutex mutex_;
  base::CondVar changed_;
  Outcome outcome_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

INSTANTIATE_TEST_SUITE_P(Means, ProcessExecutorTest,
                         ::testing::Values(Enclosures::Means::kBest, Enclosures::Means::kScanOnly),
                         [](const auto& info) { return info.param == Enclosures::Means::kBest ? "Best" : "ScanOnly"; });

TEST_P(ProcessExecutorTest, TellsTheWholeStoryInOrder) {
  const Outcome outcome = Run({"pass", "skip", "fail", "error"});
  ASSERT_GE(outcome.events.size(), 10u);
  EXPECT_TRUE(outcome.events.front().has_job_started());
  EXPECT_GT(outcome.events.front().job_started().pid(), 0);
  EXPECT_TRUE(outcome.events.back().has_job_finished());
  EXPECT_EQ(outcome.finished.fate(), v1::FATE_COMPLETED);
  EXPECT_EQ(outcome.finished.exit_code(), 1);
  EXPECT_EQ(outcome.Of("pass"), v1::PASSED);
  EXPECT_EQ(outcome.Of("skip"), v1::SKIPPED);
  EXPECT_EQ(outcome.results.at("skip").reason(), "needs what no machine has");
  EXPECT_EQ(outcome.Of("fail"), v1::FAILED);
  EXPECT_EQ(outcome.Of("error"), v1::ERROR);
  EXPECT_EQ(outcome.results.at("error").reason(), "no-tool: the tool it needs is missing");
  EXPECT_EQ(outcome.Findings("pass"), "");
}

TEST_P(ProcessExecutorTest, Crashes) {
  const Outcome crash = Run({"pass", "crash", "skip"});
  EXPECT_EQ(crash.Of("pass"), v1::PASSED);
  EXPECT_EQ(crash.Of("crash"), v1::CRASHED);
  EXPECT_THAT(crash.results.at("crash").reason(), HasSubstr("SIGSEGV"));
  EXPECT_EQ(crash.Of("skip"), v1::MISSED);
  EXPECT_EQ(crash.finished.signal(), SIGSEGV);
  EXPECT_EQ(crash.finished.fate(), v1::FATE_COMPLETED);
  EXPECT_THAT(Run({"abort"}).results.at("abort").reason(), HasSubstr("SIGABRT"));
  EXPECT_EQ(Run({"exits-early"}).Of("exits-early"), v1::CRASHED);
}

TEST_P(ProcessExecutorTest, HangsAreTimedOut) {
  const Outcome hang = Run({"pass", "hang", "skip"});
  EXPECT_EQ(hang.Of("pass"), v1::PASSED);
  EXPECT_EQ(hang.Of("hang"), v1::TIMED_OUT);
  EXPECT_EQ(hang.Of("skip"), v1::MISSED);
  EXPECT_EQ(hang.finished.signal(), SIGTERM);
  EXPECT_EQ(hang.finished.fate(), v1::FATE_COMPLETED);
  EXPECT_GE(hang.results.at("hang").duration_ms(), 400);
  const Outcome stubborn = Run({"ignores-sigterm"});
  EXPECT_EQ(stubborn.Of("ignores-sigterm"), v1::TIMED_OUT);
  EXPECT_EQ(stubborn.finished.signal(), SIGKILL);
}

TEST_P(ProcessExecutorTest, FloodsAreBounded) {
  const Outcome flood = Run({"flood"});
  EXPECT_EQ(flood.Of("flood"), v1::PASSED);
  EXPECT_EQ(flood.logs.at(v1::LOG_STREAM_STDERR).size(), JobLog::kLimitBytes);
  EXPECT_EQ(flood.logs.at(v1::LOG_STREAM_STDOUT).size(), JobLog::kLimitBytes);
  EXPECT_THAT(flood.logs.at(v1::LOG_STREAM_AGENT), HasSubstr("what follows is dropped"));
  EXPECT_THAT(flood.Findings("flood"), HasSubstr("(102400 times)"));
  const Outcome endless = Run({"no-newline"});
  EXPECT_EQ(endless.Of("no-newline"), v1::PASSED);
  EXPECT_THAT(endless.Findings("no-newline"), HasSubstr("stray-output"));
}

TEST_P(ProcessExecutorTest, OutputThatIsNotInOrder) {
  struct Row {
    const char* name;
    v1::Verdict verdict;
    const char* finding;
  };
  for (const Row& row : {
           Row{"garbage", v1::ERROR, "malformed-line"},
           Row{"nul-bytes", v1::PASSED, "stray-output"},
           Row{"half-line", v1::ERROR, "half-line"},
           Row{"lies", v1::FAILED, "declared-pass"},
           Row{"fail-diagnosis-but-pass", v1::FAILED, "declared-pass"},
           Row{"sequence-gap", v1::ERROR, "sequence-gap"},
           Row{"wrong-schema", v1::ERROR, "schema-version"},
           Row{"unsupported-validator", v1::ERROR, "validator-unsupported"},
       }) {
    const Outcome outcome = Run({row.name});
    ASSERT_TRUE(outcome.results.contains(row.name)) << row.name;
    EXPECT_EQ(outcome.Of(row.name), row.verdict) << row.name;
    EXPECT_THAT(outcome.Findings(row.name), HasSubstr(row.finding)) << row.name;
  }
}

TEST_P(ProcessExecutorTest, ReportsThatAreNotWhatWasAsked) {
  EXPECT_EQ(Run({"missed"}).Of("missed"), v1::MISSED);
  const Outcome vacuous = Run({"vacuous"});
  EXPECT_EQ(vacuous.Of("vacuous"), v1::PASSED);  // Whether that is enough is for the judge to say.
  EXPECT_EQ(vacuous.results.at("vacuous").work(), 0);
  EXPECT_TRUE(vacuous.results.at("vacuous").needs_gpu_work());
  EXPECT_EQ(Run({"twice"}).Of("twice"), v1::FAILED);
  const Outcome unasked = Run({"unasked"});
  EXPECT_EQ(unasked.Of("surprise"), v1::PASSED);
  EXPECT_THAT(unasked.Findings("surprise"), HasSubstr("unknown-case"));
}

TEST_P(ProcessExecutorTest, NothingOutlivesItsJob) {
  const Outcome orphan = Run({"orphan"});
  EXPECT_EQ(orphan.Of("orphan"), v1::PASSED);
  EXPECT_THAT(orphan.finished.findings(), Contains(HasSubstr("stragglers")));
  EXPECT_EQ(Survivors(orphan.events.front().job_started().pid()), 0);
  const Outcome escaped = Run({"escaped-orphan"});
  EXPECT_EQ(escaped.Of("escaped-orphan"), v1::PASSED);
  EXPECT_THAT(escaped.finished.findings(), Contains(HasSubstr("stragglers")));
  EXPECT_TRUE(std::filesystem::is_empty(work_));
}

TEST_P(ProcessExecutorTest, ArtifactsAreTakenAndLinksAreNot) {
  const Outcome outcome = Run({"artifact"});
  EXPECT_EQ(outcome.artifacts, (std::map<std::string, std::string>{{"hello.txt", "left by selftest\n"}}));
  EXPECT_THAT(outcome.logs.at(v1::LOG_STREAM_AGENT), HasSubstr("\"link.txt\" is left out"));
}

TEST_P(ProcessExecutorTest, Cancels) {
  ref_.set_job_id("r-0000000000000/9");
  ASSERT_TRUE(Start(Spec("selftest", {"ignores-sigterm", "pass"})).ok());
  WaitCaseStarted();
  Cancel("cancelled by ann");
  Cancel("too late");
  const Outcome outcome = WaitFinished();
  EXPECT_EQ(outcome.Of("ignores-sigterm"), v1::CANCELLED);
  EXPECT_EQ(outcome.results.at("ignores-sigterm").reason(), "cancelled by ann");
  EXPECT_EQ(outcome.Of("pass"), v1::MISSED);
  EXPECT_EQ(outcome.finished.fate(), v1::FATE_CANCELLED);
  EXPECT_EQ(outcome.finished.detail(), "cancelled by ann");
  Cancel("unknown by now");
}

TEST_P(ProcessExecutorTest, StopsWithItsJobsRunning) {
  ASSERT_TRUE(Start(Spec("selftest", {"ignores-sigterm"})).ok());
  WaitCaseStarted();
  OnLoop([this] { executor_.reset(); });
  base::MutexLock lock(mutex_);
  EXPECT_EQ(Survivors(outcome_.events.front().job_started().pid()), 0);
  EXPECT_FALSE(finished_);
}

TEST_P(ProcessExecutorTest, KillsWhatAnEarlierLifeLeft) {
  ASSERT_TRUE(Start(Spec("selftest", {"ignores-sigterm"})).ok());
  WaitCaseStarted();
  int64_t pid = 0;
  {
    base::MutexLock lock(mutex_);
    pid = outcome_.events.front().job_started().pid();
  }
  // A second executor on the same work folder stands for the agent after a restart.
  std::unique_ptr<ProcessExecutor> second;
  OnLoop([&] {
    ProcessExecutor::Options options{.suites_folder = kSuites, .work_folder = work_, .enclosure_means = GetParam()};
    second = *ProcessExecutor::Create(options, &loop_, [this] { return machine_; });
  });
  const Outcome outcome = WaitFinished();
  EXPECT_EQ(outcome.finished.signal(), SIGKILL);
  EXPECT_EQ(outcome.Of("ignores-sigterm"), v1::CRASHED);
  EXPECT_EQ(Survivors(pid), 0);
  OnLoop([&] { second.reset(); });
}

TEST_P(ProcessExecutorTest, RefusesWhatTheManifestDoesNotHave) {
  const auto code = [this](const v1::JobSpec& spec) { return Start(spec).code(); };
  EXPECT_EQ(code(Spec("nope", {"pass"})), absl::StatusCode::kNotFound);
  EXPECT_EQ(code(Spec("../selftest", {"pass"})), absl::StatusCode::kNotFound);
  EXPECT_EQ(code(Spec("selftest", {"nope"})), absl::StatusCode::kNotFound);
  EXPECT_EQ(code(Spec("selftest", {})), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Spec("selftest", {"pass", "pass"})), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(Spec("selftest", {"pass", "destructive"})), absl::StatusCode::kInvalidArgument);
  v1::JobSpec version = Spec("selftest", {"pass"});
  version.set_suite_version("2");
  EXPECT_EQ(code(version), absl::StatusCode::kInvalidArgument);
  v1::JobSpec parameter = Spec("selftest", {"pass"});
  (*parameter.mutable_parameters())["nope"] = "1";
  EXPECT_EQ(code(parameter), absl::StatusCode::kInvalidArgument);
  v1::JobSpec device = Spec("selftest", {"pass"});
  device.add_device_ids("GPU-0");
  EXPECT_EQ(code(device), absl::StatusCode::kNotFound);
  machine_.add_devices()->set_id("GPU-0");
  EXPECT_EQ(code(device), absl::StatusCode::kInvalidArgument);
  // A case over all devices has some, and none beside it that has none.
  EXPECT_EQ(code(Spec("selftest", {"pass-together"})), absl::StatusCode::kInvalidArgument);
  device.add_cases("pass-together");
  EXPECT_EQ(code(device), absl::StatusCode::kInvalidArgument);
  v1::JobSpec status = Spec("selftest-exit", {"program"});
  (*status.mutable_parameters())["status"] = "1001";
  EXPECT_EQ(code(status), absl::StatusCode::kInvalidArgument);
  base::MutexLock lock(mutex_);
  EXPECT_THAT(outcome_.events, IsEmpty());
}

TEST_P(ProcessExecutorTest, ACaseHasTheDevicesOfItsOwnScope) {
  machine_.add_devices()->set_id("GPU-0");
  machine_.add_devices()->set_id("GPU-1");
  v1::JobSpec spec = Spec("selftest", {"pass-together"});
  spec.add_device_ids("GPU-0");
  spec.add_device_ids("GPU-1");
  ASSERT_TRUE(Start(spec).ok());
  EXPECT_EQ(WaitFinished().Of("pass-together"), v1::PASSED);
}

TEST_P(ProcessExecutorTest, RunsDestructiveCasesOnlyWhenTheRequestSaysSo) {
  v1::JobSpec spec = Spec("selftest", {"destructive"});
  spec.set_destructive(true);
  EXPECT_EQ(RunSpec(spec).Of("destructive"), v1::PASSED);
}

TEST_P(ProcessExecutorTest, Gtest) {
  const Outcome outcome = Run({"Selftest.Passes", "Selftest.IsSkipped", "Selftest.Fails"}, "selftest-gtest");
  EXPECT_EQ(outcome.Of("Selftest.Passes"), v1::PASSED);
  EXPECT_EQ(outcome.Of("Selftest.IsSkipped"), v1::SKIPPED);
  EXPECT_THAT(outcome.results.at("Selftest.IsSkipped").reason(), HasSubstr("needs what no machine has"));
  EXPECT_EQ(outcome.Of("Selftest.Fails"), v1::FAILED);
  EXPECT_THAT(outcome.results.at("Selftest.Fails").reason(), HasSubstr("on purpose"));
  EXPECT_EQ(outcome.results.size(), 3u);
  const Outcome crash = Run({"Selftest.Passes", "Selftest.Crashes"}, "selftest-gtest");
  EXPECT_EQ(crash.Of("Selftest.Passes"), v1::PASSED);
  EXPECT_EQ(crash.Of("Selftest.Crashes"), v1::CRASHED);
  EXPECT_EQ(Run({"Selftest.Hangs"}, "selftest-gtest").Of("Selftest.Hangs"), v1::TIMED_OUT);
}

TEST_P(ProcessExecutorTest, Junit) {
  const Outcome outcome = Run({"passes", "skipped", "fails", "errs"}, "selftest-junit");
  EXPECT_EQ(outcome.Of("passes"), v1::PASSED);
  EXPECT_EQ(outcome.Of("skipped"), v1::SKIPPED);
  EXPECT_EQ(outcome.Of("fails"), v1::FAILED);
  EXPECT_EQ(outcome.Of("errs"), v1::ERROR);
  EXPECT_EQ(Run({"no-file"}, "selftest-junit").Of("no-file"), v1::ERROR);
  EXPECT_EQ(Run({"crashes"}, "selftest-junit").Of("crashes"), v1::CRASHED);
}

TEST_P(ProcessExecutorTest, Tap) {
  const Outcome outcome = Run({"passes", "skipped", "fails", "todo", "missed"}, "selftest-tap");
  EXPECT_EQ(outcome.Of("passes"), v1::PASSED);
  EXPECT_EQ(outcome.Of("skipped"), v1::SKIPPED);
  EXPECT_EQ(outcome.Of("fails"), v1::FAILED);
  EXPECT_EQ(outcome.Of("todo"), v1::SKIPPED);
  EXPECT_EQ(outcome.Of("missed"), v1::MISSED);
  EXPECT_EQ(Run({"passes", "bails"}, "selftest-tap").Of("bails"), v1::ERROR);
}

TEST_P(ProcessExecutorTest, ExitStatus) {
  const auto verdict = [this](const char* status) {
    v1::JobSpec spec = Spec("selftest-exit", {"program"});
    (*spec.mutable_parameters())["status"] = status;
    return RunSpec(spec).Of("program");
  };
  EXPECT_EQ(verdict("0"), v1::PASSED);
  EXPECT_EQ(verdict("1"), v1::FAILED);
  EXPECT_EQ(verdict("77"), v1::SKIPPED);
  EXPECT_EQ(verdict("99"), v1::ERROR);
  EXPECT_EQ(verdict("1000"), v1::TIMED_OUT);
}

TEST_P(ProcessExecutorTest, RunsAsAnotherUser) {
  if (getuid() != 0) GTEST_SKIP() << "only root can run programs as another user";
  std::filesystem::permissions(::testing::TempDir(), std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
  Create({.run_as_user = "nobody"});
  const Outcome outcome = Run({"pass", "artifact"});
  EXPECT_EQ(outcome.Of("pass"), v1::PASSED);
  EXPECT_TRUE(outcome.artifacts.contains("hello.txt"));
  const auto create = [this](const std::string& user) {
    ProcessExecutor::Options options{
        .suites_folder = kSuites, .work_folder = work_ + "/private/work", .run_as_user = user};
    return ProcessExecutor::Create(options, &loop_, nullptr).status();
  };
  EXPECT_EQ(create("no-such-user").code(), absl::StatusCode::kNotFound);
  std::filesystem::permissions(work_ + "/private", std::filesystem::perms::owner_all);
  EXPECT_THAT(std::string(create("nobody").message()), HasSubstr("who may not enter"));
}

TEST(SuiteCatalogueTest, BrokenManifestsAreProblems) {
  const std::string folder = ::testing::TempDir() + base::Text("/suites-", getpid());
  std::filesystem::create_directories(folder + "/broken");
  std::ofstream(folder + "/broken/suite.textproto") << "name: ";
  std::filesystem::create_directories(folder + "/empty");
  std::filesystem::create_directories(folder + "/renamed");
  std::filesystem::copy_file(std::string(kSuites) + "/selftest/suite.textproto", folder + "/renamed/suite.textproto");
  std::filesystem::create_directories(folder + "/selftest");
  std::filesystem::copy_file(std::string(kSuites) + "/selftest/suite.textproto", folder + "/selftest/suite.textproto");
  const SuiteCatalogue catalogue = SuiteCatalogue::Load(folder);
  std::filesystem::remove_all(folder);
  EXPECT_THAT(catalogue.Manifests(), IsEmpty());
  ASSERT_EQ(catalogue.problems().size(), 4u);
  EXPECT_THAT(catalogue.problems()[0], HasSubstr("suite broken: "));
  EXPECT_THAT(catalogue.problems()[1], HasSubstr("suite empty: "));
  EXPECT_THAT(catalogue.problems()[2], HasSubstr("expected that of its folder, \"renamed\""));
  EXPECT_THAT(catalogue.problems()[3], HasSubstr("is missing or may not be executed"));
  EXPECT_THAT(SuiteCatalogue::Load("/no/such/folder").problems(), testing::ElementsAre(HasSubstr("/no/such/folder")));
}

}  // namespace
}  // namespace muster::agent
