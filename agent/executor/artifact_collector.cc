#include "agent/executor/artifact_collector.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "agent/executor/result_file.h"
#include "base/names.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr size_t kChunkBytes = 64 * 1024;

struct TypeOfSuffix {
  std::string_view suffix;
  const char* type;
};
constexpr TypeOfSuffix kTypes[] = {
    {".json", "application/json"}, {".xml", "application/xml"}, {".txt", "text/plain"}, {".log", "text/plain"},
    {".csv", "text/csv"},          {".html", "text/html"},      {".png", "image/png"},  {".svg", "image/svg+xml"},
};

std::string ContentType(std::string_view name) {
  for (const TypeOfSuffix& entry : kTypes) {
    if (name.size() > entry.suffix.size() && name.substr(name.size() - entry.suffix.size()) == entry.suffix)
      return entry.type;
  }
  return "application/octet-stream";
}

// Exactly `size_bytes`, or less when the file shrinks meanwhile.
void EmitFile(const RegularFile& file, const std::string& name,
              const std::function<void(v1::ArtifactChunk chunk)>& emit) {
  uint64_t offset = 0;
  bool last = false;
  while (!last) {
    std::string data(std::min<uint64_t>(kChunkBytes, file.size_bytes - offset), '\0');
    const ssize_t got = data.empty() ? 0 : pread(file.fd.get(), data.data(), data.size(), static_cast<off_t>(offset));
    data.resize(got > 0 ? static_cast<size_t>(got) : 0);
    last = data.empty() || offset + data.size() >= file.size_bytes;
    v1::ArtifactChunk chunk;
    chunk.set_name(name);
    chunk.set_content_type(ContentType(name));
    chunk.set_offset(offset);
    chunk.set_last(last);
    offset += data.size();
    chunk.set_data(std::move(data));
    emit(std::move(chunk));
  }
}

}  // namespace

void CollectArtifacts(const std::string& folder, const ArtifactLimits& limits,
                      const std::function<void(v1::ArtifactChunk chunk)>& emit,
                      const std::function<void(std::string_view line)>& say) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
    if (names.size() > 16 * limits.files) break;
  }
  std::sort(names.begin(), names.end());
  uint64_t total_bytes = 0;
  size_t kept = 0;
  size_t refused = 0;
  for (const std::string& name : names) {
    std::string why;
    const absl::StatusOr<RegularFile> file = OpenRegularFile(base::Text(folder, "/", name));
    if (!base::CheckArtifactName(name).ok()) {
      why = "its name is not allowed";
    } else if (!file.ok()) {
      why = std::string(file.status().message());
    } else if (kept >= limits.files) {
      why = base::Text("there are more than ", limits.files);
    } else if (file->size_bytes > limits.file_bytes || total_bytes + file->size_bytes > limits.total_bytes) {
      why = base::Text("it has ", file->size_bytes, " bytes; at most ", limits.file_bytes, " a file and ",
                       limits.total_bytes, " a job are kept");
    }
    if (why.empty()) {
      ++kept;
      total_bytes += file->size_bytes;
      EmitFile(*file, name, emit);
    } else if (++refused <= 10) {
      say(base::Text("artifact ", base::Quoted(name), " is left out: ", why));
    }
  }
  if (refused > 10) say(base::Text("… and ", refused - 10, " more artifacts are left out"));
}

}  // namespace muster::agent
