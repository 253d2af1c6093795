// A vendor's library asked in a child process: one that crashes, hangs or prints cannot take the agent down, and its
// memory is gone when the child is.
//
// The child is the program itself, started as `PROGRAM --probe=nvml`; its main() gives way to ProbeMain() before
// anything else. Between the two, on the child's stdout: "muster-probe 1 CODE LENGTH\n" and LENGTH bytes, a serialised
// v1::Machine (devices and notes) when CODE is 0, otherwise a message; CODE is an absl::StatusCode.
#ifndef MUSTER_AGENT_INVENTORY_PROBE_H_
#define MUSTER_AGENT_INVENTORY_PROBE_H_

#include <chrono>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/inventory/gpu_library.h"

namespace muster::agent {

enum class ProbeKind { kNvml, kLevelZero };

inline constexpr absl::string_view kProbeFlag = "--probe=";
inline constexpr std::chrono::milliseconds kProbeTimeout{20'000};

// "nvml", "level-zero".
absl::string_view ProbeName(ProbeKind kind);
std::optional<ProbeKind> ParseProbeName(absl::string_view name);

// Asks the library in this process and gives what the child prints. May crash, hang and leave threads behind.
std::string RunProbe(ProbeKind kind);

// The frame alone; RunProbe's second half and its counterpart.
std::string EncodeProbe(const absl::StatusOr<GpuLibraryReport>& report);
absl::StatusOr<GpuLibraryReport> DecodeProbe(absl::string_view output);

// The child's whole main(): `name` is what followed kProbeFlag. Keeps what libraries print off stdout. Returns the exit
// status.
int ProbeMain(absl::string_view name);

// Starts `self_path` as the child and waits for its answer. Whatever goes wrong is a Status that says what, at the
// latest a second after `timeout`. Blocks; any thread.
absl::StatusOr<GpuLibraryReport> ProbeInChild(const std::string& self_path, ProbeKind kind,
                                              std::chrono::milliseconds timeout = kProbeTimeout);

// What the agent gives to CollectInventory.
class ChildProbe final : public GpuLibrary {
 public:
  explicit ChildProbe(ProbeKind kind, std::string self_path = "/proc/self/exe",
                      std::chrono::milliseconds timeout = kProbeTimeout)
      : kind_(kind), self_path_(std::move(self_path)), timeout_(timeout) {}

  absl::StatusOr<GpuLibraryReport> List() override { return ProbeInChild(self_path_, kind_, timeout_); }

 private:
  ProbeKind kind_;
  std::string self_path_;
  std::chrono::milliseconds timeout_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_INVENTORY_PROBE_H_
