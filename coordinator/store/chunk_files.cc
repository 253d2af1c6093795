#include "coordinator/store/chunk_files.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace muster::coordinator {
namespace {

constexpr char kLogEnding[] = ".log";
constexpr char kArtifactEnding[] = ".artifacts";

v1::Event EventOf(const LogRow& row) {
  v1::Event event;
  event.set_sequence(row.sequence);
  *event.mutable_log() = row.chunk;
  return event;
}
v1::Event EventOf(const ArtifactRow& row) {
  v1::Event event;
  event.set_sequence(row.sequence);
  *event.mutable_artifact() = row.chunk;
  return event;
}

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

absl::StatusOr<std::string> ChunkFiles::PathOf(std::string_view job_id, uint32_t attempt,
                                               std::string_view ending) const {
  // Checked, for it becomes a path.
  ASSIGN_OR_RETURN(const base::JobIdParts parts, base::ParseJobId(job_id));
  return absl::StrCat(folder_, "/", parts.run_id, "/", parts.number, ".", attempt, std::string(ending));
}

absl::Status ChunkFiles::Append(const std::vector<LogRow>& logs, const std::vector<ArtifactRow>& artifacts) {
  std::map<std::string, std::vector<v1::Event>> log_files, artifact_files;
  for (const LogRow& row : logs) {
    ASSIGN_OR_RETURN(const std::string path, PathOf(row.job_id, row.attempt, kLogEnding));
    log_files[path].push_back(EventOf(row));
  }
  for (const ArtifactRow& row : artifacts) {
    ASSIGN_OR_RETURN(const std::string path, PathOf(row.job_id, row.attempt, kArtifactEnding));
    artifact_files[path].push_back(EventOf(row));
  }
  for (auto& [path, events] : log_files) RETURN_IF_ERROR(AppendTo(path, std::move(events), limits_.max_log_bytes));
  for (auto& [path, events] : artifact_files) {
    RETURN_IF_ERROR(AppendTo(path, std::move(events), limits_.max_artifact_bytes));
  }
  return absl::OkStatus();
}

absl::Status ChunkFiles::AppendTo(const std::string& path, std::vector<v1::Event> events, uint64_t limit_bytes) {
  if (ends_.size() > kMaxRemembered) ends_.clear();
  if (!ends_.contains(path)) {
    ASSIGN_OR_RETURN(ends_[path], FindEnd(path));
  }
  End& end = ends_[path];
  end.full = end.full || end.bytes >= limit_bytes;
  FramePacker packer;
  for (const v1::Event& event : events) {
    if (end.full || event.sequence() <= end.last_sequence) continue;
    packer.Add(event);
    end.last_sequence = event.sequence();
  }
  if (packer.empty()) return absl::OkStatus();
  std::string frames = packer.Take();
  if (end.bytes + frames.size() >= limit_bytes) {
    end.full = true;
    v1::Event notice;
    notice.set_sequence(end.last_sequence);
    notice.mutable_log()->set_stream(v1::LOG_STREAM_AGENT);
    notice.mutable_log()->set_data(absl::StrCat("The coordinator keeps no more of this attempt: the limit is ",
                                                limit_bytes, " bytes, compressed.\n"));
    packer.Add(notice);
    frames += packer.Take();
  }
  absl::Status status = Extend(path, end, frames);
  if (!status.ok()) ends_.erase(path);
  return status;
}

absl::Status ChunkFiles::Extend(const std::string& path, End& end, const std::string& frames) {
  const bool is_new = end.bytes == 0;
  if (is_new) RETURN_IF_ERROR(MakeRunFolder(FolderOf(path)));
  ASSIGN_OR_RETURN(std::unique_ptr<base::AppendFile> file, file_system_.OpenAppend(path));
  if (is_new) RETURN_IF_ERROR(file_system_.SyncDirectory(FolderOf(path)));
  absl::Status status = file->Append(frames);
  if (status.ok()) status = file->Sync();
  file.reset();
  if (!status.ok()) {
    // What is there now is not known: back to what was.
    file_system_.Truncate(path, end.bytes).IgnoreError();
    return status;
  }
  end.bytes += frames.size();
  return absl::OkStatus();
}

absl::Status ChunkFiles::MakeRunFolder(const std::string& path) {
  RETURN_IF_ERROR(file_system_.MakeDirectory(path));
  RETURN_IF_ERROR(file_system_.SyncDirectory(folder_));
  return file_system_.SyncDirectory(FolderOf(folder_));
}

absl::StatusOr<ChunkFiles::End> ChunkFiles::FindEnd(const std::string& path) {
  End end;
  const absl::StatusOr<uint64_t> size = file_system_.Size(path);
  if (absl::IsNotFound(size.status())) return end;
  RETURN_IF_ERROR(size.status());
  while (end.bytes < *size) {
    ASSIGN_OR_RETURN(const Frame frame, ReadFrame(path, end.bytes));
    if (frame.events.empty()) break;
    end.bytes = frame.next_position;
    end.last_sequence = std::max(end.last_sequence, frame.header.last_sequence);
  }
  if (end.bytes < *size) RETURN_IF_ERROR(file_system_.Truncate(path, end.bytes));
  return end;
}

absl::StatusOr<ChunkFiles::Frame> ChunkFiles::ReadFrame(const std::string& path, uint64_t position) {
  Frame frame;
  frame.next_position = position;
  absl::StatusOr<std::string> head = file_system_.Read(path, position, kFrameHeaderBytes);
  if (absl::IsNotFound(head.status())) return frame;
  RETURN_IF_ERROR(head.status());
  if (!ParseFrameHeader(*head, frame.header)) return frame;
  ASSIGN_OR_RETURN(const std::string packed,
                   file_system_.Read(path, position + kFrameHeaderBytes, frame.header.packed_bytes));
  if (packed.size() < frame.header.packed_bytes) return frame;
  absl::StatusOr<std::vector<v1::Event>> events = UnpackFrame(packed);
  if (!events.ok()) return frame;  // Torn, or being written.
  frame.events = *std::move(events);
  frame.next_position = position + kFrameHeaderBytes + packed.size();
  return frame;
}

absl::StatusOr<LogPage> ChunkFiles::ReadLog(std::string_view job_id, uint32_t attempt, uint64_t position,
                                            size_t max_bytes) {
  ASSIGN_OR_RETURN(const std::string path, PathOf(job_id, attempt, kLogEnding));
  LogPage page;
  page.next_position = position;
  size_t bytes = 0;
  while (page.chunks.empty() || bytes < max_bytes) {
    ASSIGN_OR_RETURN(Frame frame, ReadFrame(path, page.next_position));
    if (frame.events.empty()) break;
    page.next_position = frame.next_position;
    for (v1::Event& event : frame.events) {
      bytes += event.log().data().size();
      page.chunks.push_back(std::move(*event.mutable_log()));
    }
  }
  return page;
}

absl::StatusOr<std::shared_ptr<const ChunkFiles::Catalogue>> ChunkFiles::CatalogueOf(const std::string& path) {
  ASSIGN_OR_RETURN(const uint64_t size, file_system_.Size(path));
  {
    base::MutexLock lock(mutex_);
    if (catalogue_ != nullptr && catalogue_path_ == path && catalogue_bytes_ == size) return catalogue_;
  }
  auto catalogue = std::make_shared<Catalogue>();
  uint64_t position = 0;
  while (true) {
    ASSIGN_OR_RETURN(const Frame frame, ReadFrame(path, position));
    if (frame.events.empty()) break;
    for (const v1::Event& event : frame.events) {
      if (!event.has_artifact()) continue;
      const v1::ArtifactChunk& chunk = event.artifact();
      ArtifactEntry& entry = (*catalogue)[chunk.name()];
      const uint64_t end = chunk.offset() + chunk.data().size();
      entry.artifact.set_name(chunk.name());
      if (!chunk.content_type().empty()) entry.artifact.set_content_type(chunk.content_type());
      entry.artifact.set_size_bytes(std::max(entry.artifact.size_bytes(), end));
      entry.complete = entry.complete || chunk.last();
      entry.pieces.push_back({chunk.offset(), chunk.data().size(), position, event.sequence()});
    }
    position = frame.next_position;
  }
  base::MutexLock lock(mutex_);
  catalogue_path_ = path;
  catalogue_bytes_ = size;
  catalogue_ = catalogue;
  return catalogue_;
}

absl::StatusOr<std::vector<v1::Artifact>> ChunkFiles::ListArtifacts(std::string_view run_id) {
  RETURN_IF_ERROR(base::CheckRunId(run_id));
  const std::string folder = absl::StrCat(folder_, "/", std::string(run_id));
  const absl::StatusOr<std::vector<std::string>> names = file_system_.List(folder);
  std::vector<v1::Artifact> artifacts;
  if (absl::IsNotFound(names.status())) return artifacts;
  RETURN_IF_ERROR(names.status());
  std::map<std::pair<uint32_t, uint32_t>, std::string> files;  // By job's number and attempt.
  for (const std::string& name : *names) {
    uint32_t number = 0, attempt = 0;
    const size_t dot = name.find('.');
    if (!absl::EndsWith(name, kArtifactEnding) || !absl::SimpleAtoi(name.substr(0, dot), &number)) continue;
    if (!absl::SimpleAtoi(name.substr(dot + 1, name.rfind('.') - dot - 1), &attempt)) continue;
    files[{number, attempt}] = absl::StrCat(folder, "/", name);
  }
  for (const auto& [key, path] : files) {
    ASSIGN_OR_RETURN(const std::shared_ptr<const Catalogue> catalogue, CatalogueOf(path));
    for (const auto& [name, entry] : *catalogue) {
      if (!entry.complete) continue;
      v1::Artifact& artifact = artifacts.emplace_back(entry.artifact);
      artifact.set_job_id(base::MakeJobId(run_id, key.first));
      artifact.set_attempt(key.second);
    }
  }
  return artifacts;
}

absl::StatusOr<std::string> ChunkFiles::ReadArtifact(std::string_view job_id, uint32_t attempt, std::string_view name,
                                                     uint64_t offset, size_t max_bytes) {
  ASSIGN_OR_RETURN(const std::string path, PathOf(job_id, attempt, kArtifactEnding));
  const absl::StatusOr<std::shared_ptr<const Catalogue>> catalogue = CatalogueOf(path);
  if (!catalogue.ok() && !absl::IsNotFound(catalogue.status())) return catalogue.status();
  if (!catalogue.ok() || !(*catalogue)->contains(std::string(name))) {
    return absl::NotFoundError(
        absl::StrCat("attempt ", attempt, " of job ", base::Quoted(job_id), " has no artifact ", base::Quoted(name)));
  }
  const ArtifactEntry& entry = (*catalogue)->at(std::string(name));
  std::string data;
  for (const Piece& piece : entry.pieces) {
    const uint64_t at = offset + data.size();
    if (data.size() >= max_bytes || piece.offset > at || piece.offset + piece.bytes <= at) continue;
    ASSIGN_OR_RETURN(const Frame frame, ReadFrame(path, piece.frame_position));
    for (const v1::Event& event : frame.events) {
      if (event.sequence() != piece.sequence) continue;
      data.append(event.artifact().data(), at - piece.offset, max_bytes - data.size());
    }
  }
  return data;
}

}  // namespace muster::coordinator
