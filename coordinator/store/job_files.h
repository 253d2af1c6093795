// Reading what attempts wrote: logs and artifacts, from the chunk files that WriteBatch::logs and ::artifacts went to.
//
// The query side beside Store's; a backend implements both. Any thread, also beside a Commit. Only what is committed is
// seen.
#ifndef MUSTER_COORDINATOR_STORE_JOB_FILES_H_
#define MUSTER_COORDINATOR_STORE_JOB_FILES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "muster/v1/control_service.pb.h"
#include "muster/v1/event.pb.h"

namespace muster::coordinator {

struct LogPage {
  std::vector<v1::LogChunk> chunks;  // Of all streams, in the order of their events.
  // Where the next page begins; equal to the `position` asked for when there is nothing more (yet).
  uint64_t next_position = 0;
};

class JobFiles {
 public:
  virtual ~JobFiles() = default;

  // From `position` (0: the beginning; else a page's `next_position`), about `max_bytes`, at least one chunk when there
  // is one. An attempt without a log is an empty page.
  virtual absl::StatusOr<LogPage> ReadLog(std::string_view job_id, uint32_t attempt, uint64_t position,
                                          size_t max_bytes) = 0;
  // Of all attempts of the run's jobs, by job, attempt, name. Those whose last chunk has come.
  virtual absl::StatusOr<std::vector<v1::Artifact>> ListArtifacts(std::string_view run_id) = 0;
  // At most `max_bytes` from `offset`; empty at the end. NotFound when there is no such artifact.
  virtual absl::StatusOr<std::string> ReadArtifact(std::string_view job_id, uint32_t attempt, std::string_view name,
                                                   uint64_t offset, size_t max_bytes) = 0;
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_JOB_FILES_H_
