// How long small things take: a kernel from launch to end, the same queued as a whole, one queue's wait for another's
// event, a load from each level of memory.
//
// Nothing in a device's figures says how long that is: the limits are parameters, far above what a healthy machine
// needs. Each kernel counts itself: a launch that was lost, made twice or out of turn shows.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/open_device.h"
#include "suites/physical/pointer_chase.h"
#include "suites/physical/stream.kernels.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"
#include "suites/sdk/timing.h"

namespace muster::benchmark {
namespace {

using physical::ComputeDevice;
using physical::DeviceMemory;
using sdk::TimeOnHost;

constexpr int kWarmUps = 100;
constexpr int kRepeats = 2000;
// Kernels in a row, for the time each adds.
constexpr int kRow = 100;
constexpr int kRows = 30;
// Long enough for the host to queue a row.
constexpr uint64_t kDelaySteps = 100'000;

double LimitSeconds() {
  constexpr double kAnyTime = 3600;
  return sdk::SpeedsAreReal() ? 1e-6 * sdk::Parameter<double>("latency_limit_us") : kAnyTime;
}

bool Starts(const std::string& text, const char* with) { return text.rfind(with, 0) == 0; }

// "KIND:NUMBER" of a parameter; nullopt for another kind.
std::optional<uint64_t> Injected(const char* parameter, const std::string& kind) {
  const std::string text = sdk::Parameter<std::string>(parameter);
  uint64_t number = 0;
  if (!Starts(text, (kind + ":").c_str()) || !absl::SimpleAtoi(text.substr(kind.size() + 1), &number)) {
    return std::nullopt;
  }
  return number;
}

// Kernels that count themselves.
class Ticks {
 public:
  explicit Ticks(ComputeDevice& gpu)
      : gpu_(gpu),
        counts_(gpu, kBytes),
        dropped_(Injected("inject_latency", "drop")),
        twice_(Injected("inject_latency", "twice")) {
    gpu_.Zero(counts_.data(), kBytes);
    gpu_.Wait();
  }

  void Launch(ComputeDevice& queue, const char* kernel = "tick") {
    ++launched_;
    if (launched_ == dropped_) return;
    const TickArguments arguments = {.step = launched_ - 1};
    for (int i = launched_ == twice_ ? 2 : 1; i > 0; --i) {
      queue.Launch({.kernel = kernel,
                    .buffers = {counts_.data()},
                    .arguments = &arguments,
                    .arguments_size = sizeof(arguments)});
    }
  }
  // That many were launched without Launch().
  void Add(uint64_t launches) { launched_ += launches; }
  // Keeps the queue busy meanwhile. The link at the end of the counts leads to itself.
  void Delay() {
    const ChaseArguments arguments = {.steps = kDelaySteps, .start = 0};
    char* const counts = static_cast<char*>(counts_.data());
    gpu_.Launch({.kernel = "chase",
                 .buffers = {counts + kBytes / 2, counts + kBytes / 2 + kBytes / 4},
                 .arguments = &arguments,
                 .arguments_size = sizeof(arguments)});
  }

  void ExpectAll() {
    u64 counted[2] = {};
    gpu_.ReadBack(counted, counts_.data(), sizeof(counted));
    EXPECT_EQ(counted[0], launched_) << "expected each of " << launched_ << " launches to run once, "
                                     << (counted[0] < launched_ ? launched_ - counted[0] : counted[0] - launched_)
                                     << (counted[0] < launched_ ? " did not run" : " ran once more");
    EXPECT_EQ(counted[1], 0u) << counted[1] << " of " << launched_ << " kernels ran out of turn";
    sdk::ReportWork("iterations", static_cast<double>(counted[0]));
  }

 private:
  static constexpr uint64_t kBytes = 1024;

  ComputeDevice& gpu_;
  DeviceMemory counts_;
  uint64_t launched_ = 0;
  const std::optional<uint64_t> dropped_;
  const std::optional<uint64_t> twice_;
};

// The median time that each of kRow things takes which `queue` queues, by the device's clock, with all of them queued
// before the first begins.
double IntervalOf(ComputeDevice& gpu, Ticks& ticks, const std::function<void()>& queue) {
  std::vector<double> seconds;
  for (int i = 0; i < kRows; ++i) {
    ticks.Delay();
    seconds.push_back(gpu.Seconds(queue) / kRow);
  }
  return sdk::Median(seconds);
}

TEST(latency, launch) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto gpu = physical::OpenDevice(device);
    Ticks ticks(*gpu);
    const auto one = TimeOnHost(kWarmUps, kRepeats, [&] {
      ticks.Launch(*gpu);
      gpu->Wait();
    });
    const double row = IntervalOf(*gpu, ticks, [&] {
      for (int i = 0; i < kRow; ++i) ticks.Launch(*gpu);
    });
    ticks.ExpectAll();
    sdk::Measure("latency.launch.time", one.median_seconds, "s").AtMost(LimitSeconds());
    sdk::Measure("latency.launch.interval", row, "s").AtMost(LimitSeconds());
  });
}

TEST(latency, graph) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto gpu = physical::OpenDevice(device);
    Ticks ticks(*gpu);
    Ticks chained(*gpu);
    const auto single = gpu->Capture([&] { ticks.Launch(*gpu); });
    const auto chain = gpu->Capture([&] {
      for (int i = 0; i < kRow; ++i) chained.Launch(*gpu);
    });
    const auto one = TimeOnHost(kWarmUps, kRepeats, [&] {
      single->Queue();
      gpu->Wait();
    });
    // Captured, one was launched by no means.
    ticks.Add(kWarmUps + kRepeats - 1);
    const double row = IntervalOf(*gpu, chained, [&] { chain->Queue(); });
    chained.Add((kRows - 1) * kRow);
    ticks.ExpectAll();
    chained.ExpectAll();
    sdk::Measure("latency.graph.time", one.median_seconds, "s").AtMost(LimitSeconds());
    sdk::Measure("latency.graph.interval", row, "s").AtMost(LimitSeconds());
  });
}

TEST(latency, event) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto gpu = physical::OpenDevice(device);
    const auto other = gpu->OpenQueue();
    Ticks ticks(*gpu);
    const auto waited = TimeOnHost(kWarmUps, kRepeats, [&] { gpu->Seconds([] {}); });
    std::vector<std::unique_ptr<physical::QueueEvent>> events;
    const auto hand_over = [&](ComputeDevice& from, ComputeDevice& to) {
      ticks.Launch(from, "tick_in_turn");
      events.push_back(from.Record());
      to.WaitFor(*events.back());
    };
    const double hop = IntervalOf(*gpu, ticks, [&] {
      for (int i = 0; i < kRow; i += 2) {
        hand_over(*gpu, *other);
        hand_over(*other, *gpu);
      }
    });
    gpu->Wait();
    other->Wait();
    ticks.ExpectAll();
    sdk::Measure("latency.event.wait", waited.median_seconds, "s").AtMost(LimitSeconds());
    sdk::Measure("latency.event.between_queues", hop, "s").AtMost(LimitSeconds());
  });
}

TEST(latency, pointer_chase) {
  sdk::ForEachDevice([](const v1::Device& device) {
    const auto gpu = physical::OpenDevice(device);
    const int repeats = sdk::Session::Current().environment().level <= 1 ? 3 : 9;
    const auto sizes = physical::ChaseSizesOf(gpu->Traits());
    const bool far = sdk::Parameter<std::string>("inject_chase") == "far";
    const struct {
      const char* name;
      physical::ChaseOptions options;
    } rings[] = {
        {"latency.pointer_chase.l1",
         {.ring_bytes = far ? sizes.memory : sizes.l1, .steps = 20'000, .repeats = repeats, .cold = far}},
        {"latency.pointer_chase.l2", {.ring_bytes = sizes.l2, .steps = 20'000, .repeats = repeats}},
        {"latency.pointer_chase.memory",
         {.ring_bytes = sizes.memory, .steps = 20'000, .repeats = repeats, .cold = true}},
        {"latency.pointer_chase.host",
         {.ring_bytes = 1 << 20, .steps = 5'000, .repeats = repeats, .in_host_memory = true}},
    };
    double nearer = 0;
    for (auto [name, options] : rings) {
      options.broken_link = Injected("inject_chase", "link");
      const auto report = physical::Chase(*gpu, options);
      sdk::ReportWork("iterations", static_cast<double>(report.steps));
      if (!report.problem.empty()) {
        ADD_FAILURE() << name << ": " << report.problem;
        return;
      }
      auto load = sdk::Measure(name, report.seconds_per_step, "s");
      // The host's memory is as near as its own to a GPU of the processor.
      if (!options.in_host_memory) load.MoreThan(nearer);
      load.AtMost(LimitSeconds());
      if (sdk::SpeedsAreReal()) nearer = report.seconds_per_step;
    }
  });
}

}  // namespace
}  // namespace muster::benchmark
