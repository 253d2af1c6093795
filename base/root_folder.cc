#include "base/root_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/clean_text.h"

namespace muster::base {
namespace {

// As the file system names it, so that what Resolve() finds can be cut back to what the machine sees.
std::string Canonical(const std::string& path) {
  std::error_code error;
  const std::filesystem::path canonical = std::filesystem::canonical(path, error);
  return error ? std::string() : canonical.string();
}

absl::Status ReadError(absl::string_view path, int error) {
  const std::string message = absl::StrCat("cannot read ", path, ": ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ENXIO:
    case EOPNOTSUPP:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

}  // namespace

RootFolder::RootFolder(std::string root) : root_(std::move(root)) {
  if (std::string canonical = Canonical(root_); !canonical.empty()) root_ = std::move(canonical);
  while (!root_.empty() && root_.back() == '/') root_.pop_back();
}

std::string RootFolder::Real(absl::string_view path) const { return root_ + std::string(path); }

std::string RootFolder::Read(absl::string_view path, size_t limit) const {
  std::ifstream file(Real(path), std::ios::binary);
  std::string content;
  char piece[4096];
  while (file && content.size() < limit) {
    file.read(piece, static_cast<std::streamsize>(std::min(sizeof(piece), limit - content.size())));
    content.append(piece, static_cast<size_t>(file.gcount()));
  }
  return content;
}

std::string RootFolder::ReadLine(absl::string_view path) const { return CleanText(Read(path, 4096)); }

absl::StatusOr<std::string> RootFolder::TryReadLine(absl::string_view path) const {
  const int file = open(Real(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return ReadError(path, errno);
  char content[4096];
  ssize_t size = 0;
  do {
    size = read(file, content, sizeof(content));
  } while (size < 0 && errno == EINTR);
  const int error = errno;
  close(file);
  if (size < 0) return ReadError(path, error);
  return CleanText(absl::string_view(content, static_cast<size_t>(size)));
}

std::optional<uint64_t> RootFolder::ReadNumber(absl::string_view path, int base) const {
  return ParseNumber(ReadLine(path), base);
}

std::string RootFolder::ReadLink(absl::string_view path) const {
  std::error_code error;
  const std::filesystem::path target = std::filesystem::read_symlink(Real(path), error);
  return error ? std::string() : target.string();
}

std::string RootFolder::Resolve(absl::string_view path) const {
  const std::string canonical = Canonical(Real(path));
  absl::string_view inside = canonical;
  if (!absl::ConsumePrefix(&inside, root_)) return std::string();
  return std::string(inside);
}

std::optional<std::vector<std::string>> RootFolder::List(absl::string_view path, size_t limit) const {
  std::error_code error;
  std::filesystem::directory_iterator entries(Real(path), error);
  if (error) return std::nullopt;
  std::vector<std::string> names;
  while (entries != std::filesystem::directory_iterator() && names.size() < limit) {
    names.push_back(entries->path().filename().string());
    entries.increment(error);
    if (error) break;
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace muster::base
