// One child of a sampler process, from its start to its end: reads its frames and tells a child that works from one
// that hangs, crashes, prints rubbish or gives up. Blocks; for the sampler process's thread alone.
#ifndef MUSTER_AGENT_TELEMETRY_SAMPLER_RUN_H_
#define MUSTER_AGENT_TELEMETRY_SAMPLER_RUN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/telemetry/call_slot.h"
#include "agent/telemetry/sample_frame.h"
#include "agent/telemetry/sampler_child.h"
#include "agent/telemetry/sampler_process.h"
#include "base/subprocess.h"

namespace muster::agent {

// How a child came to its end.
struct SamplerEnd {
  enum class Kind {
    kStopped,  // The agent wants no more of it.
    kAbsent,   // It said that the library is not installed or shows no device.
    kFailed,   // It said what does not work.
    kCrashed,  // It ended without a word, or was no sampler.
    kHung,     // A call, or the child as a whole, does not come back.
  };
  Kind kind = Kind::kStopped;
  std::string detail;
  // Of kHung and kCrashed: the call that it was in, if any, and the device of that call, if any.
  std::string device;
  std::string call;
};

class SamplerRun {
 public:
  struct Options {
    SamplerProcess::Options process;
    std::vector<SamplerArguments::Skip> skip;
    // Readable: Watch and WaitUntilGone return.
    int stop_fd = -1;
  };
  using OnTurn = std::function<void(std::vector<v1::DeviceSample>)>;

  static absl::StatusOr<std::unique_ptr<SamplerRun>> Start(const Options& options);
  // Kills a child that is still there, and waits for it for a moment.
  ~SamplerRun() = default;

  // Until the child has ended, hangs, or stop_fd is readable. Each turn goes to `on_turn`.
  SamplerEnd Watch(const OnTurn& on_turn);
  // Kills the child and waits until it has gone, as long as that may take: no signal reaches a process that sits in the
  // kernel. False when stop_fd became readable first.
  bool KillAndWait();

 private:
  SamplerRun(const Options& options, std::unique_ptr<CallSlot> slot, base::Subprocess child);

  absl::Status ReadFrames(const OnTurn& on_turn);
  void ReadLastWords();
  bool TooFast();
  // When it could be hung, and how: "nvmlDeviceGetX on 0000:41:00.0 has not returned for 5000 ms". Nothing: it is not.
  std::optional<SamplerEnd> FindHang();
  int64_t NextCheckMs() const;
  SamplerEnd DescribeEnd();
  SamplerEnd Crash(absl::string_view what);

  const Options options_;
  std::unique_ptr<CallSlot> slot_;
  base::Subprocess child_;
  FrameReader reader_;
  std::string last_words_;
  size_t words_since_turn_ = 0;
  int64_t started_ms_;
  int64_t progress_ms_;  // Start, or end of the last turn.
  double turn_credit_ = 10;
  // A hang is believed when it is seen twice: after a pause of the whole machine the first look is stale.
  std::pair<uint64_t, int64_t> suspect_ = {0, -1};
  int64_t suspected_ms_ = 0;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_SAMPLER_RUN_H_
