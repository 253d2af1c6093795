// What a sampler's child says to the agent: samples, ends of turns, and why it gives up; and the reader that believes
// none of it unseen.
//
// A frame is four bytes of length (little endian, of what follows the kind), one byte of kind, and the payload:
// 'S' a serialised v1::DeviceSample; 'T' nothing, the turn is over; 'E' "CODE MESSAGE", an absl::StatusCode, the last
// frame.
#ifndef MUSTER_AGENT_TELEMETRY_SAMPLE_FRAME_H_
#define MUSTER_AGENT_TELEMETRY_SAMPLE_FRAME_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "muster/v1/telemetry.pb.h"

namespace muster::agent {

// Of one turn.
inline constexpr size_t kMaxTurnBytes = 1 << 20;
inline constexpr size_t kMaxSampledDevices = 64;
// Of one device.
inline constexpr int kMaxReadings = 4096;

// One turn's frames.
std::string EncodeTurn(const std::vector<v1::DeviceSample>& samples);
// The last frame: Start() or Sample() said so.
std::string EncodeEnd(const absl::Status& status);

// Makes a sample fit to go on: a normal PCI address (false without one), clean and bounded texts, known fields with as
// many labels as they have or none, finite values, each reading with a value or an absence.
bool CleanSample(v1::DeviceSample& sample);

class FrameReader {
 public:
  // What complete turns `bytes` ended. An error: this is no sampler, stop reading it.
  absl::Status Add(absl::string_view bytes);

  // The turns ended since the last call, oldest first, at most kMaxTurns: older ones give way.
  std::vector<std::vector<v1::DeviceSample>> TakeTurns();
  // Set when the child has said why it ends.
  const std::optional<absl::Status>& end() const { return end_; }

 private:
  static constexpr size_t kMaxTurns = 4;
  absl::Status AddFrame(char kind, absl::string_view payload);

  std::string rest_;
  size_t turn_bytes_ = 0;
  std::vector<v1::DeviceSample> turn_;
  std::vector<std::vector<v1::DeviceSample>> turns_;
  std::optional<absl::Status> end_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_TELEMETRY_SAMPLE_FRAME_H_
