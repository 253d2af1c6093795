#include "agent/executor/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <sstream>
#include <thread>

#include "base/file.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr uint64_t kMaxFileBytes = 1 << 20;
constexpr int kRemoveTries = 100;

absl::Status WriteFile(const std::string& path, std::string_view text) {
  const base::OwnedFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.is_open()) return base::ErrnoStatus(errno, base::Text("cannot open ", path));
  if (write(fd.get(), text.data(), text.size()) < 0) return base::ErrnoStatus(errno, base::Text("cannot write ", path));
  return absl::OkStatus();
}

bool HasWord(const std::string& text, const std::string& word) {
  std::istringstream words(text);
  for (std::string one; words >> one;) {
    if (one == word) return true;
  }
  return false;
}

// Where version 2's hierarchy is mounted: "/sys/fs/cgroup", or "…/unified" beside version 1.
absl::StatusOr<std::string> FindMount() {
  ASSIGN_OR_RETURN(const std::string mounts, base::ReadFile("/proc/self/mountinfo", kMaxFileBytes));
  std::istringstream lines(mounts);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream fields(line);
    std::string skipped, root, mount_point;
    fields >> skipped >> skipped >> skipped >> root >> mount_point;
    if (root == "/") return mount_point;
  }
  return absl::NotFoundError("no control groups of version 2 are mounted");
}

// This process's group in it: "0::/system.slice/muster-agent.service".
absl::StatusOr<std::string> FindOwnGroup() {
  ASSIGN_OR_RETURN(const std::string groups, base::ReadFile("/proc/self/cgroup", kMaxFileBytes));
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("0::/", 0) == 0) return line.substr(3);
  }
  return absl::NotFoundError("this process is in no control group of version 2");
}

// A group can be removed a moment after its last process has been reaped.
void RemoveGroup(const std::string& path) {
  for (int i = 0; i < kRemoveTries; ++i) {
    if (rmdir(path.c_str()) == 0 || errno != EBUSY) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Programs may make groups within theirs.
void RemoveTree(const std::string& path) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    if (entry.is_directory(error)) RemoveTree(entry.path());
  }
  RemoveGroup(path);
}

}  // namespace

JobCgroup::~JobCgroup() {
  Kill();
  RemoveTree(path_);
}

absl::StatusOr<base::OwnedFd> JobCgroup::OpenProcs() const {
  const std::string path = base::Text(path_, "/cgroup.procs");
  base::OwnedFd fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.is_open()) return base::ErrnoStatus(errno, base::Text("cannot open ", path));
  return fd;
}

void JobCgroup::Kill() {
  if (WriteFile(base::Text(path_, "/cgroup.kill"), "1").ok()) return;
  // Before Linux 5.14: one by one, until a fork that raced with us is found as well.
  for (int i = 0; i < kRemoveTries && !IsEmpty(); ++i) {
    const auto members = base::ReadFile(base::Text(path_, "/cgroup.procs"), kMaxFileBytes);
    std::istringstream pids(members.ok() ? *members : "");
    for (pid_t pid = 0; pids >> pid;) kill(pid, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

bool JobCgroup::IsEmpty() const {
  const auto events = base::ReadFile(base::Text(path_, "/cgroup.events"), kMaxFileBytes);
  return !events.ok() || events->find("populated 0") != std::string::npos;
}

absl::StatusOr<CgroupFolder> CgroupFolder::Open(const std::string& prefix) {
  ASSIGN_OR_RETURN(const std::string mount, FindMount());
  ASSIGN_OR_RETURN(const std::string own, FindOwnGroup());
  CgroupFolder folder(own == "/" ? mount : mount + own, prefix);
  if (folder.path_.size() >= 6 && folder.path_.compare(folder.path_.size() - 6, 6, "/agent") == 0) {
    folder.path_.resize(folder.path_.size() - 6);  // Moved there by EnableControllers.
  }
  ASSIGN_OR_RETURN(const auto probe, folder.Create("probe", 0, 0));
  ASSIGN_OR_RETURN(const base::OwnedFd procs, probe->OpenProcs());
  folder.EnableControllers();
  return folder;
}

// Best effort: without them jobs are held together all the same, only not limited.
void CgroupFolder::EnableControllers() {
  const auto controllers = base::ReadFile(base::Text(path_, "/cgroup.controllers"), kMaxFileBytes);
  if (!controllers.ok()) return;
  std::string wanted;
  for (const char* name : {"memory", "pids"}) {
    if (HasWord(*controllers, name)) wanted += base::Text(" +", name);
  }
  if (wanted.empty()) return;
  const std::string control = base::Text(path_, "/cgroup.subtree_control");
  if (!WriteFile(control, wanted).ok()) {
    const auto members = base::ReadFile(base::Text(path_, "/cgroup.procs"), kMaxFileBytes);
    if (!members.ok() || *members != base::Text(getpid(), "\n")) return;
    const std::string leaf = base::Text(path_, "/agent");
    if (mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return;
    if (!WriteFile(leaf + "/cgroup.procs", base::Text(getpid())).ok() || !WriteFile(control, wanted).ok()) return;
  }
  has_memory_ = HasWord(*controllers, "memory");
  has_pids_ = HasWord(*controllers, "pids");
}

absl::StatusOr<std::unique_ptr<JobCgroup>> CgroupFolder::Create(const std::string& name, uint64_t memory_bytes,
                                                                uint64_t processes) {
  const std::string path = base::Text(path_, "/", prefix_, name);
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
    return base::ErrnoStatus(errno, base::Text("cannot make the control group ", path));
  }
  auto group = std::make_unique<JobCgroup>(path);
  if (has_memory_ && memory_bytes > 0) {
    RETURN_IF_ERROR(WriteFile(path + "/memory.max", base::Text(memory_bytes)));
    (void)WriteFile(path + "/memory.oom.group", "1");
  }
  if (has_pids_ && processes > 0) RETURN_IF_ERROR(WriteFile(path + "/pids.max", base::Text(processes)));
  return group;
}

int CgroupFolder::KillLeftovers() {
  int count = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    if (entry.path().filename().string().rfind(prefix_, 0) != 0) continue;
    JobCgroup leftover(entry.path());
    ++count;
  }
  return count;
}

}  // namespace muster::agent
