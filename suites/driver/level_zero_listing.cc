#include "suites/driver/level_zero_listing.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/status_macros.h"
#include "suites/sdk/child.h"
#include "suites/sdk/level_zero.h"

namespace muster::driver {
namespace {

constexpr char kMode[] = "level-zero-list";
constexpr char kProblem[] = "problem ";
constexpr char kGpu[] = "gpu ";
constexpr uint64_t kMaxAnswer = 64 << 10;

// In the new process: writes an address a line, or the problem, to the file `path`.
int WriteList(const std::string& path) {
  unsetenv("ZE_AFFINITY_MASK");
  const auto level_zero = sdk::LevelZero::Shared();
  std::ofstream file(path);
  if (!level_zero.ok()) {
    file << kProblem << level_zero.status().message() << "\n";
  } else {
    for (const auto& device : (*level_zero)->Devices()) file << kGpu << device.pci_address << "\n";
  }
  return file.flush() ? 0 : 1;
}
const sdk::ChildMode kListMode(kMode, WriteList);

absl::StatusOr<std::vector<std::string>> Ask(const std::string& path) {
  ASSIGN_OR_RETURN(const pid_t child, sdk::StartChild(kMode, path));
  ASSIGN_OR_RETURN(const int status, sdk::WaitForChild(child));
  if (status > 128) return absl::AbortedError(absl::StrCat("Level Zero ended its process with signal ", status - 128));
  if (status != 0) return absl::InternalError(absl::StrCat("the process that was to list ended with status ", status));
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, kMaxAnswer));
  std::vector<std::string> addresses;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (absl::ConsumePrefix(&line, kProblem)) return absl::FailedPreconditionError(line);
    if (absl::ConsumePrefix(&line, kGpu)) addresses.push_back(std::string(line));
  }
  return addresses;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ListLevelZeroUnmasked() {
  std::error_code error;
  std::string path = (std::filesystem::temp_directory_path(error) / "muster-list-XXXXXX").string();
  const int file = error ? -1 : mkstemp(path.data());
  if (file < 0) return absl::InternalError(absl::StrCat("cannot make ", path, ": ", std::strerror(errno)));
  close(file);
  auto answer = Ask(path);
  std::filesystem::remove(path, error);
  return answer;
}

}  // namespace muster::driver
