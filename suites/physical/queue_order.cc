#include "suites/physical/queue_order.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_format.h"
#include "suites/physical/api.kernels.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint32_t kWords = 1024;
constexpr uint32_t kGroupSize = 256;
constexpr size_t kMostProblems = 8;

// Who computes what of which, and who is slow; the same for device and host.
class Weave {
 public:
  explicit Weave(const QueueOrderOptions& options)
      : queues_(options.queues), rounds_(options.rounds), seed_(static_cast<uint32_t>(options.seed)) {}

  // Round 0 are the inputs.
  uint64_t WordsInAll() const { return uint64_t{rounds_ + 1} * queues_ * kWords; }
  uint64_t PlaceOf(uint32_t round, uint32_t queue) const { return (uint64_t{round} * queues_ + queue) * kWords; }
  uint32_t OtherOf(uint32_t round, uint32_t queue) const {
    return (queue + 1 + mix_bits(seed_ + round) % (queues_ - 1)) % queues_;
  }
  uint32_t SlowOf(uint32_t round) const { return mix_bits(seed_ ^ (round * 0x9e3779b9u)) % queues_; }
  uint32_t KeyOf(uint32_t round, uint32_t queue) const { return mix_bits(seed_ + round * queues_ + queue); }

  std::vector<u32> Inputs() const {
    std::vector<u32> words(uint64_t{queues_} * kWords);
    for (size_t i = 0; i < words.size(); ++i) words[i] = mix_bits(seed_ ^ static_cast<u32>(i));
    return words;
  }

 private:
  const uint32_t queues_;
  const uint32_t rounds_;
  const uint32_t seed_;
};

// What is queued, and the memory that it works on.
class Loom {
 public:
  Loom(ComputeDevice& device, const QueueOrderOptions& options)
      : device_(device), options_(options), weave_(options), forgotten_(options.injection.Of("order").value_or(0)) {
    // And a word for each queue that nobody else reads.
    values_ = static_cast<u32*>(device.Allocate((weave_.WordsInAll() + options.queues) * sizeof(u32)));
    if (values_ == nullptr) throw sdk::ToolError("no memory for the values of the queues");
    slow_turns_ = static_cast<uint32_t>(options.slow_seconds * TurnsPerSecond(device));
    for (uint32_t i = 0; i < options.queues; ++i) queues_.push_back(device.OpenQueue());
  }
  ~Loom() { device_.Free(values_); }

  // The values of all rounds.
  std::vector<u32> Run(QueueOrderReport& report) {
    const std::vector<u32> inputs = weave_.Inputs();
    device_.Zero(values_, (weave_.WordsInAll() + options_.queues) * sizeof(u32));
    device_.Copy(values_, inputs.data(), inputs.size() * sizeof(u32));
    // Nobody begins until most is queued, so that the host's pace orders nothing.
    BeBusy(device_, 0, 10 * slow_turns_);
    const auto gate = device_.Record();
    for (const auto& queue : queues_) queue->WaitFor(*gate);
    for (uint32_t round = 1; round <= options_.rounds; ++round) QueueRound(round, report);
    for (const auto& event : events_) device_.WaitFor(*event);
    std::vector<u32> values(weave_.WordsInAll());
    device_.ReadBack(values.data(), values_, values.size() * sizeof(u32));
    for (const auto& queue : queues_) queue->Wait();
    return values;
  }

 private:
  void QueueRound(uint32_t round, QueueOrderReport& report) {
    std::vector<std::unique_ptr<QueueEvent>> events;
    for (uint32_t queue = 0; queue < options_.queues; ++queue) {
      const uint32_t other = weave_.OtherOf(round, queue);
      const bool forgets = round == forgotten_ && other == weave_.SlowOf(round - 1);
      if (round > 1 && !forgets) {
        queues_[queue]->WaitFor(*events_[other]);
        ++report.waits;
      }
      if (weave_.SlowOf(round) == queue) BeBusy(*queues_[queue], queue, slow_turns_);
      Step(*queues_[queue],
           {values_ + weave_.PlaceOf(round - 1, queue), values_ + weave_.PlaceOf(round - 1, other),
            values_ + weave_.PlaceOf(round, queue)},
           {.words = kWords, .key = weave_.KeyOf(round, queue)});
      events.push_back(queues_[queue]->Record());
      ++report.steps;
    }
    events_.swap(events);
  }

  // One work item, before what the queue does next.
  void BeBusy(ComputeDevice& on, uint32_t queue, uint32_t turns) {
    u32* const apart = values_ + weave_.WordsInAll() + queue;
    Step(on, {apart, apart, apart}, {.words = 1, .turns = turns});
  }

  static void Step(ComputeDevice& on, const std::vector<void*>& buffers, const ApiStep& step) {
    on.Launch({.kernel = "api_step",
               .groups = kWords / kGroupSize,
               .group_size = kGroupSize,
               .buffers = buffers,
               .arguments = &step,
               .arguments_size = sizeof(step)});
  }

  ComputeDevice& device_;
  const QueueOrderOptions options_;
  const Weave weave_;
  const uint64_t forgotten_;
  u32* values_ = nullptr;
  uint32_t slow_turns_ = 0;
  std::vector<std::unique_ptr<ComputeDevice>> queues_;
  // Of the round before, one a queue.
  std::vector<std::unique_ptr<QueueEvent>> events_;
};

// The first word of the step that does not follow from what it should have read; empty when all do.
std::string WrongIn(const Weave& weave, const std::vector<u32>& values, uint32_t round, uint32_t queue) {
  const uint32_t other = weave.OtherOf(round, queue);
  const u32* const own = &values[weave.PlaceOf(round - 1, queue)];
  const u32* const theirs = &values[weave.PlaceOf(round - 1, other)];
  const u32* const out = &values[weave.PlaceOf(round, queue)];
  const uint32_t key = weave.KeyOf(round, queue);
  for (uint32_t i = 0; i < kWords; ++i) {
    const u32 expected = api_step_value(own[i], theirs[i], key);
    if (out[i] == expected) continue;
    const char* why = "";
    if (out[i] == api_step_value(own[i], 0, key)) why = ", as if that queue had not written yet: it did not wait";
    if (out[i] == api_step_value(0, theirs[i], key)) why = ", as if it had overtaken its own work";
    if (out[i] == 0) why = ": it did not run, or had not when it was read";
    return absl::StrFormat("round %u, queue %u, which waits for queue %u: word %u is %08x, expected %08x%s", round,
                           queue, other, i, out[i], expected, why);
  }
  return "";
}

}  // namespace

double TurnsPerSecond(ComputeDevice& device) {
  constexpr uint32_t kTurns = 20'000;
  auto* const word = static_cast<u32*>(device.Allocate(256));
  if (word == nullptr) throw sdk::ToolError("no memory for one word");
  device.Zero(word, 256);
  const ApiStep step = {.words = 1, .turns = kTurns};
  double seconds = 0;
  // The first time the kernel is loaded.
  for (int i = 0; i < 2; ++i) {
    seconds = device.Seconds([&] {
      device.Launch(
          {.kernel = "api_step", .buffers = {word, word, word}, .arguments = &step, .arguments_size = sizeof(step)});
    });
  }
  device.Free(word);
  return kTurns / std::max(seconds, 1e-9);
}

QueueOrderReport RunQueueOrder(ComputeDevice& device, const QueueOrderOptions& options) {
  QueueOrderReport report;
  const Weave weave(options);
  const std::vector<u32> values = Loom(device, options).Run(report);
  for (uint32_t round = 1; round <= options.rounds; ++round) {
    for (uint32_t queue = 0; queue < options.queues; ++queue) {
      const std::string wrong = WrongIn(weave, values, round, queue);
      if (wrong.empty()) continue;
      ++report.steps_out_of_order;
      if (report.problems.size() < kMostProblems) report.problems.push_back(wrong);
    }
  }
  const std::vector<u32> inputs = weave.Inputs();
  if (!std::equal(inputs.begin(), inputs.end(), values.begin())) report.problems.push_back("the inputs changed");
  return report;
}

}  // namespace muster::physical
