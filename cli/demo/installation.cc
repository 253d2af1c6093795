#include "cli/demo/installation.h"

#include <unistd.h>

#include <climits>
#include <initializer_list>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file.h"
#include "base/status_macros.h"

namespace muster::cli {
namespace {

// The first that can be read (and run, when it is a program); empty when there is none.
std::string First(const std::vector<std::string>& paths, int mode) {
  for (const std::string& path : paths) {
    if (access(path.c_str(), mode) == 0) return path;
  }
  return "";
}

std::string OnPath(const std::string& path, const std::string& program) {
  std::vector<std::string> candidates;
  for (const std::string& folder : std::vector<std::string>(absl::StrSplit(path, ':', absl::SkipEmpty()))) {
    if (folder.front() == '/') candidates.push_back(base::JoinPath(folder, program));
  }
  return First(candidates, X_OK);
}

}  // namespace

absl::StatusOr<Installation> FindInstallation(const std::string& program_folder, const std::string& path) {
  const std::string above = program_folder + "/..";
  // Installed, and in a build folder.
  const std::vector<std::string> demos = {above + "/libexec/muster/demo", above + "/tests/hardware_sim"};
  const auto in_demo = [&](const std::string& name) {
    return std::vector<std::string>{demos[0] + "/" + name, demos[1] + "/" + name, base::JoinPath(program_folder, name)};
  };
  Installation found{
      .coordinator = First({base::JoinPath(program_folder, "muster-coordinator")}, X_OK),
      .agent = First({base::JoinPath(program_folder, "muster-agent")}, X_OK),
      .simulator = First(in_demo("muster-sim"), X_OK),
      .nvml_folder = First(in_demo("nvml/libnvidia-ml.so.1"), R_OK),
      .level_zero = First(in_demo("level_zero/libmuster_sim_ze.so"), R_OK),
      .suites = First({above + "/libexec/muster/suites"}, R_OK | X_OK),
      .plans = First({above + "/share/muster/plans"}, R_OK | X_OK),
      .prometheus = OnPath(path, "prometheus"),
      .dashboards = First({above + "/share/muster/dashboards"}, R_OK | X_OK),
  };
  struct Part {
    const std::string& where;
    const char* name;
  };
  for (const Part& part :
       {Part{found.coordinator, "muster-coordinator"}, Part{found.agent, "muster-agent"},
        Part{found.simulator, "muster-sim"}, Part{found.nvml_folder, "libnvidia-ml.so.1 (simulated)"},
        Part{found.level_zero, "libmuster_sim_ze.so"}, Part{found.suites, "the suites"}}) {
    if (part.where.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the demonstration needs ", part.name, ", and there is none beside ", program_folder,
                       "/muster; install Muster as a whole (cmake --install BUILD --prefix PREFIX) and run "
                       "PREFIX/bin/muster demo"));
    }
  }
  found.nvml_folder.resize(found.nvml_folder.rfind('/'));
  return found;
}

absl::StatusOr<std::string> OwnFolder() {
  char path[PATH_MAX] = "";
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length <= 0) return base::ErrnoStatus(errno, "cannot tell where this program is (/proc/self/exe)");
  const std::string program(path, static_cast<size_t>(length));
  return program.substr(0, program.rfind('/'));
}

}  // namespace muster::cli
