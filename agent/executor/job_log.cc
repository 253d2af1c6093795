#include "agent/executor/job_log.h"

#include <algorithm>

#include "base/text.h"

namespace muster::agent {
namespace {

constexpr v1::LogStream kStreams[] = {v1::LOG_STREAM_STDERR, v1::LOG_STREAM_STDOUT, v1::LOG_STREAM_AGENT};

}  // namespace

void JobLog::Append(v1::LogStream stream, std::string_view bytes) {
  Stream& log = Of(stream);
  const uint64_t room = kLimitBytes - log.taken_bytes;
  if (bytes.size() > room) {
    if (log.dropped_bytes == 0) {
      Say(base::Text(v1::LogStream_Name(stream), ": more than ", kLimitBytes >> 20, " MiB; what follows is dropped"));
    }
    log.dropped_bytes += bytes.size() - room;
    bytes = bytes.substr(0, room);
  }
  log.taken_bytes += bytes.size();
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kChunkBytes - log.gathered.size());
    log.gathered.append(part);
    bytes.remove_prefix(part.size());
    if (log.gathered.size() == kChunkBytes) EmitGathered(stream);
  }
}

void JobLog::Say(std::string_view line) {
  Append(v1::LOG_STREAM_AGENT, line);
  Append(v1::LOG_STREAM_AGENT, "\n");
}

void JobLog::Flush() {
  for (const v1::LogStream stream : kStreams) EmitGathered(stream);
}

bool JobLog::HasGathered() const {
  return std::any_of(streams_.begin(), streams_.end(), [](const Stream& stream) { return !stream.gathered.empty(); });
}

void JobLog::EmitGathered(v1::LogStream stream) {
  Stream& log = Of(stream);
  if (log.gathered.empty()) return;
  v1::LogChunk chunk;
  chunk.set_stream(stream);
  chunk.set_data(std::move(log.gathered));
  log.gathered.clear();
  emit_(std::move(chunk));
}

}  // namespace muster::agent
