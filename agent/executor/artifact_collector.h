// What a program left in MUSTER_ARTIFACT_DIR, as artifact events. Bounded in number and size; anything but a plain file
// with a plain name is refused, and each refusal is a sentence in the job's log.
#ifndef MUSTER_AGENT_EXECUTOR_ARTIFACT_COLLECTOR_H_
#define MUSTER_AGENT_EXECUTOR_ARTIFACT_COLLECTOR_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "muster/v1/event.pb.h"

namespace muster::agent {

struct ArtifactLimits {
  size_t files = 256;
  uint64_t file_bytes = uint64_t{64} << 20;
  uint64_t total_bytes = uint64_t{256} << 20;
};

// `emit` may block until there is room for more. Files come in the order of their names.
void CollectArtifacts(const std::string& folder, const ArtifactLimits& limits,
                      const std::function<void(v1::ArtifactChunk chunk)>& emit,
                      const std::function<void(std::string_view line)>& say);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_ARTIFACT_COLLECTOR_H_
