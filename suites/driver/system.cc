#include "suites/driver/system.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace muster::driver {
namespace {

namespace fs = std::filesystem;

// "580.159.04": two or three numbers with dots.
bool IsVersion(absl::string_view word) {
  const std::vector<absl::string_view> parts = absl::StrSplit(word, '.');
  if (parts.size() < 2 || parts.size() > 4) return false;
  return std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
    return !part.empty() && part.find_first_not_of("0123456789") == absl::string_view::npos;
  });
}

std::string ReadLine(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

absl::StatusOr<std::string> ParseModuleVersion(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, "NVRM version:")) continue;
    for (absl::string_view word : absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
      if (IsVersion(word)) return std::string(word);
    }
  }
  return absl::InvalidArgumentError("/proc/driver/nvidia/version has no line \"NVRM version:\" with a version");
}

absl::StatusOr<std::string> ReadModuleVersion(const std::string& root) {
  const std::string path = root + "/proc/driver/nvidia/version";
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat(path, " is not there"));
  std::stringstream text;
  text << file.rdbuf();
  return ParseModuleVersion(text.str());
}

absl::StatusOr<std::vector<PciGpu>> ReadPciGpus(const std::string& root) {
  const std::string folder = root + "/sys/bus/pci/devices";
  std::error_code error;
  std::vector<PciGpu> gpus;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string kind = ReadLine(entry.path() / "class");
    if (ReadLine(entry.path() / "vendor") != "0x10de") continue;
    // Display controllers: VGA and 3D.
    if (!absl::StartsWith(kind, "0x0300") && !absl::StartsWith(kind, "0x0302")) continue;
    std::error_code unbound;
    const fs::path driver = fs::read_symlink(entry.path() / "driver", unbound);
    gpus.push_back({.address = entry.path().filename().string(), .driver = driver.filename().string()});
  }
  if (error) return absl::NotFoundError(absl::StrCat("cannot list ", folder, ": ", error.message()));
  std::sort(gpus.begin(), gpus.end(), [](const PciGpu& a, const PciGpu& b) { return a.address < b.address; });
  return gpus;
}

std::string VersionOfLibraryFile(absl::string_view path) {
  const size_t suffix = path.rfind(".so.");
  if (suffix == absl::string_view::npos) return "";
  const absl::string_view version = path.substr(suffix + 4);
  return IsVersion(version) ? std::string(version) : "";
}

std::string VersionOfLoadedLibrary(const char* name) {
  void* library = dlopen(name, RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return "";
  link_map* map = nullptr;
  std::string version;
  if (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0) {
    std::error_code error;
    const fs::path file = fs::canonical(map->l_name, error);
    if (!error) version = VersionOfLibraryFile(file.string());
  }
  dlclose(library);
  return version;
}

}  // namespace muster::driver
