#include "agent/telemetry/sampler_child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "agent/telemetry/sample_frame.h"

namespace muster::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Clock = std::chrono::steady_clock;

class SamplerFake final : public Sampler {
 public:
  using OnSample = std::function<absl::StatusOr<std::vector<v1::DeviceSample>>(const std::vector<std::string>& skip)>;
  SamplerFake(absl::Status start, OnSample sample) : start_(std::move(start)), sample_(std::move(sample)) {}
  absl::Status Start() override { return start_; }
  absl::StatusOr<std::vector<v1::DeviceSample>> Sample(const std::vector<std::string>& skip) override {
    return sample_(skip);
  }

 private:
  absl::Status start_;
  OnSample sample_;
};

// Runs a sampler on a pipe until it ends or `turns` turns were read; gives what was read.
struct Outcome {
  int status = -1;
  size_t turns = 0;
  std::optional<absl::Status> end;
};
Outcome RunOnPipe(Sampler& sampler, const SamplerArguments& arguments, size_t turns) {
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  Outcome outcome;
  CallSlotWriter slot(-1);
  std::thread child([&] {
    outcome.status = RunSampler(sampler, slot, arguments, ends[1]);
    close(ends[1]);
  });
  FrameReader reader;
  char bytes[4096];
  while (outcome.turns < turns) {
    const ssize_t size = read(ends[0], bytes, sizeof(bytes));
    if (size <= 0) break;
    EXPECT_TRUE(reader.Add(absl::string_view(bytes, static_cast<size_t>(size))).ok());
    outcome.turns += reader.TakeTurns().size();
  }
  close(ends[0]);
  child.join();
  outcome.end = reader.end();
  return outcome;
}

TEST(SamplerChildTest, ArgumentsSurviveTheCommandLine) {
  const SamplerArguments arguments{.interval_ms = 250, .root = "/tmp/a b", .skip = {{"0000:41:00.0", 60'000}}};
  const auto parsed = ParseSamplerArguments(FormatSamplerArguments(arguments));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->interval_ms, 250);
  EXPECT_EQ(parsed->root, "/tmp/a b");
  ASSERT_EQ(parsed->skip.size(), 1u);
  EXPECT_EQ(parsed->skip[0].pci_address, "0000:41:00.0");
  EXPECT_EQ(parsed->skip[0].for_ms, 60'000);
}

TEST(SamplerChildTest, ArgumentsWithoutSenseAreRefused) {
  for (const char* word : {"--interval-ms=0", "--interval-ms=fast", "--interval-ms=99999999", "--skip=0000:41:00.0",
                           "--skip=here=5", "--skip==5", "--other", ""}) {
    EXPECT_THAT(std::string(ParseSamplerArguments({word}).status().message()), HasSubstr("cannot make sense of"))
        << word;
  }
}

TEST(SamplerChildTest, TurnsLieOnAGridAndMissedOnesAreNotMadeUpFor) {
  constexpr std::chrono::milliseconds kInterval(40);
  std::vector<Clock::time_point> turns;
  SamplerFake sampler(absl::OkStatus(), [&](const auto&) {
    turns.push_back(Clock::now());
    if (turns.size() == 3) std::this_thread::sleep_for(kInterval * 7 / 2);  // a stall
    return std::vector<v1::DeviceSample>{};
  });
  const Outcome outcome = RunOnPipe(sampler, {.interval_ms = kInterval.count()}, 8);
  EXPECT_EQ(outcome.status, 0) << "the reader went away";
  ASSERT_GE(turns.size(), 8u);
  // Each begins a whole number of intervals after the first, a little late, never before; and never two in one.
  auto least_late = turns[1] - turns[0];
  for (size_t i = 1; i < turns.size(); ++i) {
    const auto since = turns[i] - turns[0];
    if (i > 3) least_late = std::min(least_late, since % kInterval);
    EXPECT_GT(since / kInterval, (turns[i - 1] - turns[0]) / kInterval) << i;
  }
  EXPECT_LT(least_late, kInterval / 4) << "it has drifted";
  EXPECT_GE((turns[3] - turns[2]) / kInterval, 3) << "the stall's turns are left out";
}

TEST(SamplerChildTest, SkipsEndInTime) {
  std::vector<std::vector<std::string>> skips;
  SamplerFake sampler(absl::OkStatus(), [&](const std::vector<std::string>& skip) {
    skips.push_back(skip);
    return std::vector<v1::DeviceSample>{};
  });
  RunOnPipe(sampler, {.interval_ms = 20, .skip = {{"0000:41:00.0", 50}, {"0000:42:00.0", 3'600'000}}}, 10);
  EXPECT_THAT(skips.front(), ElementsAre("0000:41:00.0", "0000:42:00.0"));
  EXPECT_THAT(skips.back(), ElementsAre("0000:42:00.0"));
}

TEST(SamplerChildTest, SaysWhyItDoesNotStartAndWhyItEnds) {
  SamplerFake absent(absl::NotFoundError("found none"), [](const auto&) { return std::vector<v1::DeviceSample>{}; });
  EXPECT_TRUE(absl::IsNotFound(*RunOnPipe(absent, {}, 1).end));
  SamplerFake fails(absl::OkStatus(), [](const auto&) { return absl::UnavailableError("start me anew"); });
  const Outcome outcome = RunOnPipe(fails, {}, 1);
  EXPECT_EQ(outcome.end->message(), "start me anew");
  EXPECT_EQ(outcome.status, 0);
}

}  // namespace
}  // namespace muster::agent
