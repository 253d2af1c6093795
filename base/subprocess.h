// One program that this process started, without a shell.
//
// The child leads a session and process group of its own, sees the given environment and descriptors 0 to 2 alone
// (stdin is /dev/null unless the options say otherwise), with default signal handling. It is started by
// clone(CLONE_VM | CLONE_VFORK) like posix_spawn, so nothing of a large process is copied and no lock is held in the
// child. Unless asked (`ends_with_parent`) it does not die with its parent: PR_SET_PDEATHSIG follows the *thread* that
// started the child and reaches the child alone, not its group; whoever needs the whole group gone after a crash finds
// it again by its cgroup or its environment.
//
// Not thread-safe; one owner. Signals can be sent from the owner only while the child is not reaped, so a pid is never
// reused under it.
#ifndef MUSTER_BASE_SUBPROCESS_H_
#define MUSTER_BASE_SUBPROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace muster::base {

// A descriptor that closes itself.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd() { Close(); }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void Close();

 private:
  int fd_ = -1;
};

class Subprocess {
 public:
  // Whom the child becomes before it starts the program; it can then gain no privileges (no_new_privs).
  struct User {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
  };
  struct Options {
    std::string program;                   // Absolute path.
    std::vector<std::string> arguments;    // Without argv[0].
    std::vector<std::string> environment;  // "NAME=value"; all that the child sees.
    std::string working_directory;         // Empty: this process's.
    int stdin_fd = -1;                     // Above 2, becomes the child's stdin; -1: /dev/null.
    // Directory descriptor's "cgroup.procs" opened for writing: the child joins it before the program begins. -1: none.
    int cgroup_procs_fd = -1;
    std::optional<uint64_t> address_space_bytes;  // RLIMIT_AS. Cores are never dumped.
    std::optional<User> user;
    // The child gets SIGTERM when the thread that starts it ends, however that comes about.
    bool ends_with_parent = false;
  };
  // How it ended: one of both.
  struct End {
    std::optional<int> exit_code;
    std::optional<int> signal;
  };

  // The program runs when this returns: an error of exec is returned here and says what failed.
  static absl::StatusOr<Subprocess> Start(const Options& options);
  Subprocess(Subprocess&&) = default;
  // The former child is abandoned as by the destructor.
  Subprocess& operator=(Subprocess&& other) noexcept;
  // Kills the group and reaps the child when neither was done.
  ~Subprocess();

  pid_t pid() const { return pid_; }
  // Read ends, non-blocking.
  OwnedFd& stdout_fd() { return stdout_; }
  OwnedFd& stderr_fd() { return stderr_; }
  // Readable when the child has ended.
  int pidfd() const { return pidfd_.get(); }

  // To the process group. No effect once reaped.
  void SignalGroup(int signal);
  // The end, when the child has ended; afterwards always the same answer. Never blocks.
  std::optional<End> Reap();

 private:
  Subprocess() = default;
  struct Pid {  // Moves leave -1 behind.
    Pid() = default;
    explicit Pid(pid_t p) : value(p) {}
    Pid(Pid&& other) noexcept : value(std::exchange(other.value, -1)) {}
    Pid& operator=(Pid&& other) noexcept {
      value = std::exchange(other.value, -1);
      return *this;
    }
    operator pid_t() const { return value; }
    pid_t value = -1;
  };

  Pid pid_;
  OwnedFd pidfd_;
  OwnedFd stdout_;
  OwnedFd stderr_;
  std::optional<End> end_;
};

// "SIGSEGV" for 11; "signal 99" for those without a name.
std::string SignalName(int signal);

// Looks up a user of this machine by name, with all its groups.
absl::StatusOr<Subprocess::User> FindUser(const std::string& name);

}  // namespace muster::base

#endif  // MUSTER_BASE_SUBPROCESS_H_
