#include "suites/driver/nvidia_module.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "suites/driver/library_file.h"

namespace muster::driver {
namespace {

constexpr char kPath[] = "/proc/driver/nvidia/version";

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

absl::StatusOr<std::string> ReadModuleVersion(const base::RootFolder& root) {
  const std::string text = root.Read(kPath);
  if (text.empty()) return absl::NotFoundError(absl::StrCat(kPath, " is not there"));
  return ParseModuleVersion(text);
}

}  // namespace muster::driver
