// Logs and artifacts: compressed files that only grow, two for an attempt.
//
//   FOLDER/RUN-ID/NUMBER.ATTEMPT.log         its log, all streams, in the order of its events
//   FOLDER/RUN-ID/NUMBER.ATTEMPT.artifacts   its artifacts' chunks
//
// Every chunk carries its event's sequence number. What is in a file is not appended again: the same event may come
// twice when a crash or an error came between these files and the database. A torn end is cut before something is
// appended. What is over the bound is dropped, and the log says so once. Append belongs to one thread; the queries may
// be on any, beside it.
#ifndef MUSTER_COORDINATOR_STORE_CHUNK_FILES_H_
#define MUSTER_COORDINATOR_STORE_CHUNK_FILES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "coordinator/store/chunk_format.h"
#include "coordinator/store/job_files.h"
#include "coordinator/store/store.h"

namespace muster::coordinator {

// Of one attempt, as compressed on the disk.
struct ChunkFileLimits {
  uint64_t max_log_bytes = 64ull << 20;
  uint64_t max_artifact_bytes = 512ull << 20;
};

class ChunkFiles final : public JobFiles {
 public:
  // `folder` is made when it is needed. The file system outlives this.
  ChunkFiles(base::FileSystem& file_system, std::string folder, const ChunkFileLimits& limits)
      : file_system_(file_system), folder_(std::move(folder)), limits_(limits) {}

  // Durable when it returns OK. May be repeated after an error.
  absl::Status Append(const std::vector<LogRow>& logs, const std::vector<ArtifactRow>& artifacts);

  absl::StatusOr<LogPage> ReadLog(std::string_view job_id, uint32_t attempt, uint64_t position,
                                  size_t max_bytes) override;
  absl::StatusOr<std::vector<v1::Artifact>> ListArtifacts(std::string_view run_id) override;
  absl::StatusOr<std::string> ReadArtifact(std::string_view job_id, uint32_t attempt, std::string_view name,
                                           uint64_t offset, size_t max_bytes) override;

 private:
  // Bound of the files whose ends are remembered; others are read again.
  static constexpr size_t kMaxRemembered = 50'000;

  // The whole, durable part of a file.
  struct End {
    uint64_t bytes = 0;
    uint64_t last_sequence = 0;
    bool full = false;
  };
  // Where an artifact's chunks are.
  struct Piece {
    uint64_t offset = 0;  // In the artifact.
    uint64_t bytes = 0;
    uint64_t frame_position = 0;
    uint64_t sequence = 0;
  };
  struct ArtifactEntry {
    v1::Artifact artifact;
    std::vector<Piece> pieces;
    bool complete = false;
  };
  using Catalogue = std::map<std::string, ArtifactEntry>;

  absl::Status AppendTo(const std::string& path, std::vector<v1::Event> events, uint64_t limit_bytes);
  absl::StatusOr<End> FindEnd(const std::string& path);
  absl::Status Extend(const std::string& path, End& end, const std::string& frames);
  absl::Status MakeRunFolder(const std::string& path);

  // The frame at the position; empty at the end of what is whole.
  struct Frame {
    std::vector<v1::Event> events;
    uint64_t next_position = 0;
    FrameHeader header;
  };
  absl::StatusOr<Frame> ReadFrame(const std::string& path, uint64_t position);
  absl::StatusOr<std::shared_ptr<const Catalogue>> CatalogueOf(const std::string& path);
  absl::StatusOr<std::string> PathOf(std::string_view job_id, uint32_t attempt, std::string_view ending) const;

  base::FileSystem& file_system_;
  const std::string folder_;
  const ChunkFileLimits limits_;

  absl::flat_hash_map<std::string, End> ends_;  // Of Append's thread.

  base::Mutex mutex_;
  // The last one that was asked for, and the file's size then.
  std::string catalogue_path_ ABSL_GUARDED_BY(mutex_);
  uint64_t catalogue_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<const Catalogue> catalogue_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_CHUNK_FILES_H_
