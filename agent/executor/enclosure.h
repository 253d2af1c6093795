// What holds all processes of one job together, so that none outlives it.
//
// With control groups (cgroup.h) that is exact. Without them the agent becomes the subreaper of its descendants and
// looks in /proc for what belongs to a job: its session, processes with its MUSTER_ATTEMPT in their environment,
// descendants of those, and, while no other job runs, every orphan that came to the agent from another session. Only a
// process that changes its session, drops its environment and detaches while another job runs lives until that one ends
// too.
//
// Create and destroy enclosures on any thread; each is used by one.
#ifndef MUSTER_AGENT_EXECUTOR_ENCLOSURE_H_
#define MUSTER_AGENT_EXECUTOR_ENCLOSURE_H_

#include <sys/types.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "agent/executor/cgroup.h"
#include "base/mutex.h"

namespace muster::agent {

class Enclosures;

class Enclosure {
 public:
  ~Enclosure();
  // For base::Subprocess::Options; -1 without a control group.
  int cgroup_procs_fd() const { return procs_.get(); }
  // "MUSTER_ATTEMPT=…", for the environment.
  const std::string& environment() const { return environment_; }
  // The main process runs.
  void SetMain(pid_t pid);
  // Kills whatever belongs to the job. The main process is left to its owner to be reaped. Returns whether nothing is
  // left but it; waits at most a quarter of a second for that.
  bool KillAll();
  // Whether processes of the job live, the main process aside (which must have ended when this is asked).
  bool HasStragglers();

 private:
  friend class Enclosures;
  Enclosure(Enclosures* all, std::string environment) : all_(*all), environment_(std::move(environment)) {}
  int KillFound();
  std::set<pid_t> Find();

  Enclosures& all_;
  const std::string environment_;
  std::unique_ptr<JobCgroup> cgroup_;
  base::OwnedFd procs_;
  pid_t main_ = -1;
};

// Makes enclosures; one for each agent, which outlives them.
class Enclosures {
 public:
  enum class Means { kBest, kScanOnly };
  // `identity`: [a-z0-9]+, of this agent and no other on the machine, the same after a restart.
  explicit Enclosures(const std::string& identity, Means means = Means::kBest);

  // `name`: [A-Za-z0-9.-]+, of the attempt. Memory limit 0: none.
  absl::StatusOr<std::unique_ptr<Enclosure>> Create(const std::string& name, uint64_t memory_limit_bytes);
  // Kills what an earlier life of this agent left running. Returns how many groups or processes that were.
  int KillLeftovers();
  // In a sentence, for the log.
  std::string Describe() const;
  bool uses_cgroups() const { return cgroups_.has_value(); }

 private:
  friend class Enclosure;
  const std::string marker_;  // "MUSTER_ATTEMPT=IDENTITY/"
  std::optional<CgroupFolder> cgroups_;
  std::string why_no_cgroups_;

  base::Mutex mutex_;
  std::set<pid_t> mains_ ABSL_GUARDED_BY(mutex_);  // Of jobs without a control group.
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_ENCLOSURE_H_
