#include "suites/physical/library_search.h"

#include <glob.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace muster::physical {
namespace {

std::vector<std::string> Matches(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return paths;
}

}  // namespace

std::vector<std::string> LibraryCandidates(const LibraryNames& names, const std::string& named,
                                           const std::string& path) {
  std::vector<std::string> candidates;
  if (!named.empty()) candidates.push_back(named);
  candidates.insert(candidates.end(), names.names.begin(), names.names.end());
  std::vector<std::string> patterns = {absl::StrCat("/usr/local/cuda/lib64/", names.file)};
  for (const absl::string_view folder : absl::StrSplit(path, ':', absl::SkipEmpty())) {
    for (const std::string& package : names.packages) {
      // Debian's Python calls the folder dist-packages.
      patterns.push_back(absl::StrCat(folder, "/../lib/python3*/*-packages/nvidia/", package, "/lib/", names.file));
    }
  }
  for (const std::string& pattern : patterns) {
    for (std::string& match : Matches(pattern)) candidates.push_back(std::move(match));
  }
  return candidates;
}

std::vector<std::string> LibraryCandidates(const LibraryNames& names, const std::string& named) {
  const char* path = std::getenv("PATH");
  return LibraryCandidates(names, named, path == nullptr ? "" : path);
}

}  // namespace muster::physical
