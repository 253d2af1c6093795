#include "suites/driver/library_file.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"

namespace muster::driver {
namespace {

namespace fs = std::filesystem;

// Intel's compiler, the largest of what is read here, has some 60 MB.
constexpr uint64_t kMaxLibraryBytes = 512ull << 20;
// Every Level Zero driver has it; the loader calls it.
constexpr char kDriverEntry[] = "zeGetDeviceProcAddrTable";

std::string Canonical(const std::string& path) {
  std::error_code error;
  const fs::path file = fs::canonical(path, error);
  return error ? path : file.string();
}

// Whether the object of this path has the entry itself, and not by another one that it needs.
bool HasDriverEntry(const char* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return false;
  Dl_info info = {};
  void* const entry = dlsym(library, kDriverEntry);
  const bool own = entry != nullptr && dladdr(entry, &info) != 0 && info.dli_fname != nullptr &&
                   Canonical(info.dli_fname) == Canonical(path);
  dlclose(library);
  return own;
}

}  // namespace

bool IsVersion(absl::string_view word) {
  const std::vector<absl::string_view> parts = absl::StrSplit(word, '.');
  if (parts.size() < 2 || parts.size() > 4) return false;
  return std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == absl::string_view::npos;
  });
}

std::string VersionOfLibraryFile(absl::string_view path) {
  const size_t suffix = path.rfind(".so.");
  if (suffix == absl::string_view::npos) return "";
  const absl::string_view version = path.substr(suffix + 4);
  return IsVersion(version) ? std::string(version) : "";
}

std::string LoadedLibrary(const char* soname) {
  void* const library = dlopen(soname, RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return "";
  link_map* map = nullptr;
  std::string path;
  if (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0) path = Canonical(map->l_name);
  dlclose(library);
  return path;
}

std::vector<std::string> LoadedLevelZeroDrivers() {
  std::vector<std::string> paths;
  const auto collect = [](dl_phdr_info* info, size_t, void* out) {
    if (info->dlpi_name != nullptr && *info->dlpi_name != '\0') {
      static_cast<std::vector<std::string>*>(out)->push_back(info->dlpi_name);
    }
    return 0;
  };
  dl_iterate_phdr(collect, &paths);
  std::erase_if(paths, [](const std::string& path) {
    const std::string name = fs::path(path).filename().string();
    return absl::StartsWith(name, "libze_loader") || absl::StrContains(name, "_layer") || !HasDriverEntry(path.c_str());
  });
  for (std::string& path : paths) path = Canonical(path);
  return paths;
}

std::string FindForLibrary(const std::string& library, const std::string& soname) {
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_NOLOAD);
  Dl_serinfo size = {};
  std::string found = soname;
  if (handle != nullptr && dlinfo(handle, RTLD_DI_SERINFOSIZE, &size) == 0) {
    const std::unique_ptr<char[]> room(new char[size.dls_size]());
    auto* const paths = reinterpret_cast<Dl_serinfo*>(room.get());
    *paths = size;
    if (dlinfo(handle, RTLD_DI_SERINFO, paths) == 0) {
      for (unsigned i = 0; i < paths->dls_cnt && found == soname; ++i) {
        std::error_code ignored;
        const fs::path candidate = fs::path(paths->dls_serpath[i].dls_name) / soname;
        if (fs::exists(candidate, ignored)) found = candidate.string();
      }
    }
  }
  if (handle != nullptr) dlclose(handle);
  return found;
}

std::vector<std::string> SonamesInFile(const std::string& path, absl::string_view stem) {
  const auto text = base::ReadFile(path, kMaxLibraryBytes);
  std::vector<std::string> names;
  if (!text.ok()) return names;
  const std::string before = absl::StrCat(stem, ".so.");
  for (size_t at = 0; (at = text->find(before, at)) != std::string::npos; at += before.size()) {
    const size_t digits = at + before.size();
    const size_t end = std::min(text->find_first_not_of("0123456789", digits), text->size());
    std::string name = text->substr(at, end - at);
    if (end > digits && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace muster::driver
