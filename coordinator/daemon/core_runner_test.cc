#include "coordinator/daemon/core_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "base/event_loop_fake.h"
#include "coordinator/store/memory_store_fake.h"

namespace muster::coordinator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::AgentMessage HelloOf(const std::string& machine) {
  v1::AgentMessage message;
  message.mutable_hello()->set_protocol_version(1);
  message.mutable_hello()->mutable_machine()->set_name(machine);
  return message;
}

// The loop and the store's thread are fake loops, run by hand.
class CoreRunnerTest : public ::testing::Test {
 protected:
  CoreRunnerTest()
      : core_({}, *store_.Load(), loop_.Now(), [this] { return ++random_; }),
        runner_(loop_, store_loop_, store_, core_,
                {.send = [this](Effects::Message message) { sent_.push_back(message.session); },
                 .run_changed = [this](const std::string& id) { changed_.push_back(id); },
                 .store_health = [this](const absl::Status& status) { health_.push_back(status.ok()); },
                 .committed = [this](const WriteBatch& batch, double) { rows_.push_back(RowCount(batch)); }}) {
    runner_.Start();
    Turn();
  }

  // What is posted on the loop, but no commit.
  void Turn() { loop_.RunPosted(); }
  // One after the other, until both have nothing to do.
  void Settle() {
    for (int i = 0; i < 20; ++i) {
      loop_.RunPosted();
      store_loop_.RunPosted();
    }
  }
  // An agent's Hello, which makes a machine to be written.
  void SubmitHello(SessionId session, const std::string& machine) {
    runner_.Submit([this, session, machine](Core& core, base::Time now) -> CoreRunner::Answer {
      core.SessionOpened(session, machine, now);
      core.OnAgentMessage(session, HelloOf(machine), now);
      return [this, machine](const absl::Status& durable) {
        answers_.push_back(machine + (durable.ok() ? "" : ": " + std::string(durable.message())));
      };
    });
  }

  base::FakeEventLoop loop_, store_loop_;
  MemoryStoreFake store_;
  uint64_t random_ = 0;
  Core core_;
  std::vector<SessionId> sent_;
  std::vector<std::string> changed_, answers_;
  std::vector<bool> health_;
  std::vector<size_t> rows_;
  CoreRunner runner_;
};

TEST_F(CoreRunnerTest, NothingLeavesBeforeItIsDurable) {
  SubmitHello(1, "node-1");
  Turn();
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_THAT(answers_, IsEmpty());
  store_loop_.RunPosted();
  EXPECT_EQ(store_.commits(), 1);
  EXPECT_THAT(sent_, IsEmpty()) << "the loop lets it out, not the store's thread";
  Turn();
  EXPECT_THAT(sent_, ElementsAre(1));
  EXPECT_THAT(answers_, ElementsAre("node-1"));
}

TEST_F(CoreRunnerTest, WhileOneBatchIsWrittenTheNextFills) {
  SubmitHello(1, "node-1");
  Turn();
  for (int i = 2; i <= 5; ++i) {
    SubmitHello(i, "node-" + std::to_string(i));
    Turn();
  }
  Settle();
  EXPECT_EQ(store_.commits(), 2);
  EXPECT_THAT(rows_, ElementsAre(1, 4));
  EXPECT_THAT(answers_, ElementsAre("node-1", "node-2", "node-3", "node-4", "node-5"));
}

TEST_F(CoreRunnerTest, InputsOfOneTurnShareACommit) {
  for (int i = 1; i <= 3; ++i) SubmitHello(i, "node-" + std::to_string(i));
  Settle();
  EXPECT_EQ(store_.commits(), 1);
}

TEST_F(CoreRunnerTest, AReadWaitsForWhatItSawToBeDurable) {
  SubmitHello(1, "node-1");
  Turn();
  bool answered = false;
  runner_.Submit([&answered](Core& core, base::Time) -> CoreRunner::Answer {
    EXPECT_TRUE(core.FindMachine("node-1").ok());
    return [&answered](const absl::Status&) { answered = true; };
  });
  Turn();
  EXPECT_FALSE(answered);
  Settle();
  EXPECT_TRUE(answered);
}

TEST_F(CoreRunnerTest, AFailedCommitIsTriedAgainAndNothingLeavesMeanwhile) {
  store_.FailNext(3, absl::ResourceExhaustedError("the disk is full"));
  SubmitHello(1, "node-1");
  Settle();
  EXPECT_FALSE(runner_.store_works());
  EXPECT_THAT(health_, ElementsAre(false));
  SubmitHello(2, "node-2");
  Settle();
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_EQ(store_.commits(), 0) << "it waits before it tries again";
  loop_.Advance(100);
  Settle();
  loop_.Advance(200);
  Settle();
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_THAT(sent_, IsEmpty());
  loop_.Advance(400);
  Settle();
  EXPECT_TRUE(runner_.store_works());
  EXPECT_THAT(health_, ElementsAre(false, true));
  EXPECT_THAT(answers_, ElementsAre("node-1", "node-2"));
  EXPECT_THAT(sent_, ElementsAre(1, 2));
}

TEST_F(CoreRunnerTest, AShutdownDoesNotWaitForABrokenStore) {
  store_.FailNext(1000, absl::ResourceExhaustedError("the disk is full"));
  SubmitHello(1, "node-1");
  Settle();
  runner_.BeginShutdown();
  loop_.Advance(100);
  Settle();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_THAT(answers_[0], ::testing::HasSubstr("the disk is full"));
  EXPECT_THAT(sent_, IsEmpty());
}

TEST_F(CoreRunnerTest, TheCoresDeadlinesComeInTime) {
  runner_.Submit([](Core& core, base::Time now) -> CoreRunner::Answer {
    v1::StartRunRequest request;
    request.mutable_plan()->set_name("p");
    request.mutable_plan()->add_suites()->set_suite("absent");
    request.mutable_plan()->set_queue_time_limit_ms(5'000);
    v1::AgentMessage hello = HelloOf("node-1");
    v1::SuiteManifest& suite = *hello.mutable_hello()->add_suites();
    suite.set_name("absent");
    suite.set_program("p");
    suite.set_format(v1::RESULT_FORMAT_OCPTV);
    suite.set_device_scope(v1::DEVICE_SCOPE_MACHINE);
    suite.add_cases()->set_name("one");
    core.SessionOpened(1, "node-1", now);
    core.OnAgentMessage(1, hello, now);
    core.SessionClosed(1, now);
    EXPECT_TRUE(core.StartRun(request, "ann", now).ok());
    return nullptr;
  });
  Settle();
  ASSERT_EQ(changed_.size(), 1u);
  changed_.clear();
  loop_.Advance(4'900);
  Settle();
  EXPECT_THAT(changed_, IsEmpty());
  loop_.Advance(200);
  Settle();
  EXPECT_EQ(changed_.size(), 1u) << "the queue's time limit ended the run";
}

// The same with real threads, for the sanitizers.
TEST(CoreRunnerThreads, ManyThreadsAskAtOnce) {
  base::ThreadEventLoop loop, store_loop;
  MemoryStoreFake store;
  Core core({}, *store.Load(), loop.Now(), [] { return 1; });
  CoreRunner runner(loop, store_loop, store, core, {});
  runner.Start();
  std::thread loop_thread([&loop] { loop.Run(); });
  std::thread store_thread([&store_loop] { store_loop.Run(); });
  std::atomic<int> answered = 0;
  std::vector<std::thread> askers;
  for (int t = 0; t < 4; ++t) {
    askers.emplace_back([&runner, &answered, t] {
      for (int i = 0; i < 250; ++i) {
        const SessionId session = t * 1000 + i + 1;
        runner.Submit([session, &answered](Core& core, base::Time now) -> CoreRunner::Answer {
          const std::string machine = "node-" + std::to_string(session);
          core.SessionOpened(session, machine, now);
          core.OnAgentMessage(session, HelloOf(machine), now);
          return [&answered](const absl::Status& durable) { answered += durable.ok(); };
        });
      }
    });
  }
  for (std::thread& asker : askers) asker.join();
  while (answered < 1000) std::this_thread::yield();
  loop.Stop();
  loop_thread.join();
  store_loop.Stop();
  store_thread.join();
  EXPECT_EQ(store.Load()->machines.size(), 1000u);
  EXPECT_LE(store.commits(), 1000);
}

}  // namespace
}  // namespace muster::coordinator
