#include "agent/executor/enclosure.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "agent/executor/process_scan.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr int kKillRounds = 50;
constexpr std::chrono::milliseconds kKillRound{5};
constexpr uint64_t kMaxProcesses = 4096;

}  // namespace

Enclosures::Enclosures(const std::string& identity, Means means)
    : marker_(base::Text("MUSTER_ATTEMPT=", identity, "/")) {
  if (means == Means::kBest) {
    absl::StatusOr<CgroupFolder> cgroups = CgroupFolder::Open(base::Text("muster-", identity, "-"));
    if (cgroups.ok()) {
      cgroups_ = *std::move(cgroups);
    } else {
      why_no_cgroups_ = std::string(cgroups.status().message());
    }
  }
  if (!cgroups_) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

std::string Enclosures::Describe() const {
  if (cgroups_) {
    return base::Text(
        "jobs run in control groups below ", cgroups_->path(),
        cgroups_->has_memory_limit() ? ", with memory limits" : ", without memory limits (no memory controller)");
  }
  return base::Text("jobs are held together by session, environment and descent, without memory limits: ",
                    why_no_cgroups_);
}

absl::StatusOr<std::unique_ptr<Enclosure>> Enclosures::Create(const std::string& name, uint64_t memory_limit_bytes) {
  std::unique_ptr<Enclosure> enclosure(new Enclosure(this, base::Text(marker_, name, "/")));
  if (cgroups_) {
    ASSIGN_OR_RETURN(enclosure->cgroup_, cgroups_->Create(name, memory_limit_bytes, kMaxProcesses));
    ASSIGN_OR_RETURN(enclosure->procs_, enclosure->cgroup_->OpenProcs());
  }
  return enclosure;
}

int Enclosures::KillLeftovers() {
  int count = cgroups_ ? cgroups_->KillLeftovers() : 0;
  for (const ProcessEntry& process : ListProcesses()) {
    if (process.zombie || process.pid == getpid() || !EnvironmentHas(process.pid, marker_)) continue;
    kill(process.pid, SIGKILL);
    ++count;
  }
  return count;
}

Enclosure::~Enclosure() {
  KillAll();
  if (cgroup_ != nullptr) return;
  base::MutexLock lock(all_.mutex_);
  all_.mains_.erase(main_);
}

void Enclosure::SetMain(pid_t pid) {
  procs_.Close();
  main_ = pid;
  if (cgroup_ != nullptr) return;
  base::MutexLock lock(all_.mutex_);
  all_.mains_.insert(pid);
}

bool Enclosure::KillAll() {
  if (cgroup_ != nullptr) cgroup_->Kill();
  // A scan of /proc takes time, in which a process may have begun unseen: twice nothing is nothing.
  const int wanted_empty = cgroup_ != nullptr ? 1 : 2;
  int empty = 0;
  for (int round = 0; round < kKillRounds; ++round) {
    empty = (cgroup_ != nullptr ? cgroup_->IsEmpty() : KillFound() == 0) ? empty + 1 : 0;
    if (empty == wanted_empty) return true;
    std::this_thread::sleep_for(kKillRound);
  }
  return false;
}

bool Enclosure::HasStragglers() {
  if (cgroup_ != nullptr) return !cgroup_->IsEmpty();
  return !Find().empty() || !Find().empty();  // Twice, as in KillAll.
}

// Kills each and reaps those that are our children by now. Returns how many still lived.
int Enclosure::KillFound() {
  const std::set<pid_t> found = Find();
  for (const pid_t pid : found) kill(pid, SIGKILL);
  for (const pid_t pid : found) waitpid(pid, nullptr, WNOHANG);
  return static_cast<int>(found.size());
}

// Live processes of the job but its main one; zombies that have come to us on the way are reaped.
std::set<pid_t> Enclosure::Find() {
  std::set<pid_t> mains;
  {
    base::MutexLock lock(all_.mutex_);
    mains = all_.mains_;
  }
  const bool alone = mains.size() <= 1;
  const pid_t self = getpid();
  const pid_t own_session = getsid(0);
  const std::vector<ProcessEntry> processes = ListProcesses();
  std::set<pid_t> family = {main_};
  std::set<pid_t> found;
  // Parents may come after their children in the list: until nothing is added.
  for (bool added = true; added;) {
    added = false;
    for (const ProcessEntry& process : processes) {
      if (process.pid == self || mains.contains(process.pid) || found.contains(process.pid)) continue;
      const bool orphan = process.parent == self && process.session != own_session;
      if (process.zombie) {
        if (orphan && (alone || process.session == main_)) waitpid(process.pid, nullptr, WNOHANG);
        continue;
      }
      const bool ours = process.session == main_ || family.contains(process.parent) || (orphan && alone) ||
                        EnvironmentHas(process.pid, environment_);
      if (!ours) continue;
      found.insert(process.pid);
      family.insert(process.pid);
      added = true;
    }
  }
  return found;
}

}  // namespace muster::agent
