// A sampler in a child process of the agent, watched: samples come up once an interval, and a child that crashes or
// whose driver call does not return is noticed, counted and told of, and started anew, never more than one at a time.
//
// The child is the agent's own program, started as `PROGRAM --sampler=nvml` (sampler_child.h). A thread of this class
// reads it and posts to the loop; everything public is called on the loop, and so are the callbacks.
//
//   STARTING ──samples──► RUNNING ──call longer than hang_after_ms─► HUNG ──child is gone──► (pause) ──► STARTING
//      │                     └──────────child ended──────────► BROKEN ──(pause, longer each time)──► STARTING
//      └──library not installed, no device──► ABSENT (asked again when the machine's devices change)
#ifndef MUSTER_AGENT_TELEMETRY_SAMPLER_PROCESS_H_
#define MUSTER_AGENT_TELEMETRY_SAMPLER_PROCESS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/event_loop.h"
#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

// kIntel: sysman, and the kernel's own files for what it does not give.
enum class SamplerKind { kNvml, kIntel };

inline constexpr absl::string_view kSamplerFlag = "--sampler=";
// "nvml", "intel".
absl::string_view SamplerName(SamplerKind kind);

struct SamplerStatus {
  enum class State { kAbsent, kStarting, kRunning, kHung, kBroken };
  SamplerKind kind = SamplerKind::kNvml;
  State state = State::kStarting;
  // In a sentence: what is missing, what crashed, which call on which device has not returned for how long.
  std::string detail;
  // With kHung: PCI address of the device (empty: of none) and the function.
  std::string hung_device;
  std::string hung_call;
  // Since the agent's start.
  uint64_t hangs = 0;
  uint64_t crashes = 0;
  uint64_t samples = 0;  // Turns.
  // PCI addresses that are left alone for now because a call on them hung, or crashed twice running.
  std::vector<std::string> skipped;
};

class SamplerProcess {
 public:
  struct Options {
    SamplerKind kind = SamplerKind::kNvml;
    std::string self_path = "/proc/self/exe";
    // Where /sys is, for the Intel sampler.
    std::string root = "/";
    int64_t interval_ms = 1'000;
    // A driver call that takes longer hangs; so does a turn that takes four times, a start that takes six times that.
    int64_t hang_after_ms = 5'000;
    // Before a child is started anew; doubled each time up to the other.
    int64_t restart_pause_ms = 1'000;
    int64_t max_restart_pause_ms = 60'000;
    // How long a device whose call hung is left alone.
    int64_t skip_ms = 60'000;
    // For tests: one that a child can ignore, as a process ignores every signal while it sits in the kernel.
    int kill_signal = 9;
  };
  struct Callbacks {
    // One sample of each device; device_id is still empty.
    std::function<void(std::vector<v1::DeviceSample> samples)> on_samples;
    // At each change of state, of the skipped devices, of hangs or of crashes. `samples` has moved on since.
    std::function<void(const SamplerStatus& status)> on_status;
  };

  // The loop outlives the object.
  static std::unique_ptr<SamplerProcess> Start(base::EventLoop& loop, const Options& options, Callbacks callbacks);
  // Kills the child and waits for the thread; a child that cannot be killed (it hangs in the kernel) is left behind.
  virtual ~SamplerProcess() = default;

  // The machine's devices have changed: an absent library is asked again.
  virtual void LookAgain() = 0;
};

// The child's whole main(): `name` is what followed kSamplerFlag. Returns the exit status.
int SamplerMain(absl::string_view name, int argc, char** argv);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_SAMPLER_PROCESS_H_
