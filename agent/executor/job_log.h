// The logs of one job: gathers bytes into chunks and keeps each stream within its limit; what is beyond is dropped, and
// the agent's own stream says so once.
#ifndef MUSTER_AGENT_EXECUTOR_JOB_LOG_H_
#define MUSTER_AGENT_EXECUTOR_JOB_LOG_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "muster/v1/event.pb.h"

namespace muster::agent {

class JobLog {
 public:
  using Emit = std::function<void(v1::LogChunk chunk)>;
  static constexpr uint64_t kLimitBytes = uint64_t{16} << 20;  // Each stream.
  static constexpr size_t kChunkBytes = 64 * 1024;

  explicit JobLog(Emit emit) : emit_(std::move(emit)) {}

  void Append(v1::LogStream stream, std::string_view bytes);
  // A line of the agent's own.
  void Say(std::string_view line);
  // Emits what was gathered.
  void Flush();
  bool HasGathered() const;

 private:
  struct Stream {
    std::string gathered;
    uint64_t taken_bytes = 0;
    uint64_t dropped_bytes = 0;
  };
  Stream& Of(v1::LogStream stream) { return streams_[static_cast<size_t>(stream) % streams_.size()]; }
  void EmitGathered(v1::LogStream stream);

  const Emit emit_;
  std::array<Stream, 4> streams_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_JOB_LOG_H_
