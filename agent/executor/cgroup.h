// Control groups (version 2) that hold the processes of one job each: whatever a program starts, and however it
// detaches itself, stays in its group and dies with it.
//
// Groups are made below the agent's own, where that is writable: a systemd service with Delegate=yes, or root. Where
// the memory and pids controllers are there too, a job can be limited. The agent moves itself into a leaf of its own
// for that when it is alone in its group, as version 2 demands.
#ifndef MUSTER_AGENT_EXECUTOR_CGROUP_H_
#define MUSTER_AGENT_EXECUTOR_CGROUP_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/subprocess.h"

namespace muster::agent {

class JobCgroup {
 public:
  explicit JobCgroup(std::string path) : path_(std::move(path)) {}
  // Kills what is in it and removes it.
  ~JobCgroup();
  JobCgroup(const JobCgroup&) = delete;
  JobCgroup& operator=(const JobCgroup&) = delete;

  // For base::Subprocess::Options.
  absl::StatusOr<base::OwnedFd> OpenProcs() const;
  // SIGKILL to all in it. New processes cannot escape it.
  void Kill();
  // Whether no live process is in it.
  bool IsEmpty() const;

 private:
  const std::string path_;
};

class CgroupFolder {
 public:
  // `prefix` begins the names of this agent's groups. Fails with the reason when no group can be made here.
  static absl::StatusOr<CgroupFolder> Open(const std::string& prefix);

  // A new group; limits of 0 are none, and are ignored where limits() is false.
  absl::StatusOr<std::unique_ptr<JobCgroup>> Create(const std::string& name, uint64_t memory_bytes, uint64_t processes);
  // Kills and removes the groups that an earlier life of this agent left. Returns how many there were.
  int KillLeftovers();
  bool has_memory_limit() const { return has_memory_; }
  const std::string& path() const { return path_; }

 private:
  CgroupFolder(std::string path, std::string prefix) : path_(std::move(path)), prefix_(std::move(prefix)) {}
  void EnableControllers();

  std::string path_;
  std::string prefix_;
  bool has_memory_ = false;
  bool has_pids_ = false;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_CGROUP_H_
