#include "base/subprocess.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

// libc's clone() by its other name. Thread sanitizer takes clone() for a fork and, since the child shares our memory,
// then sees this process as the child.
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...);

namespace muster::base {
namespace {

constexpr size_t kChildStackBytes = 64 * 1024;
constexpr int kSignals = 64;

struct Pipe {
  OwnedFd read;
  OwnedFd write;
};

// Both ends are 3 or higher, so that the child's dup3 to 0, 1 and 2 overwrites nothing it still needs.
absl::StatusOr<OwnedFd> AboveStandard(OwnedFd fd) {
  if (fd.get() > 2) return fd;
  OwnedFd moved(fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!moved.is_open()) return absl::ErrnoToStatus(errno, "cannot duplicate a descriptor");
  return moved;
}

absl::StatusOr<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "cannot make a pipe");
  OwnedFd read(fds[0]);
  OwnedFd write(fds[1]);
  Pipe pipe;
  ASSIGN_OR_RETURN(pipe.read, AboveStandard(std::move(read)));
  ASSIGN_OR_RETURN(pipe.write, AboveStandard(std::move(write)));
  if (fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) != 0) return absl::ErrnoToStatus(errno, "cannot set O_NONBLOCK");
  return pipe;
}

// What the child needs, laid out by the parent: the child allocates nothing.
struct Launch {
  const char* program;
  char* const* argv;
  char* const* envp;
  const char* working_directory;
  int stdin_fd;
  int stdout_fd;
  int stderr_fd;
  int cgroup_procs_fd;
  const rlimit* address_space;
  const Subprocess::User* user;
  bool ends_with_parent;
  // Set by the child when it fails: what it tried, and errno.
  const char* failed_step = nullptr;
  int failed_errno = 0;
};

// System calls only, past libc: the child shares memory with the parent, and libc's setuid would signal the parent's
// threads.
bool BecomeUser(const Subprocess::User& user) {
  return syscall(SYS_setgroups, user.groups.size(), user.groups.data()) == 0 &&
         syscall(SYS_setresgid, user.gid, user.gid, user.gid) == 0 &&
         syscall(SYS_setresuid, user.uid, user.uid, user.uid) == 0 &&
         syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

void ResetSignals() {
  struct {  // The kernel's struct sigaction: SIG_DFL, no flags, no restorer, empty mask.
    unsigned long handler = 0, flags = 0, restorer = 0, mask = 0;
  } by_default;
  for (int signal = 1; signal <= kSignals; ++signal) {
    syscall(SYS_rt_sigaction, signal, &by_default, nullptr, sizeof(by_default.mask));
  }
  const unsigned long none = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof(none));
}

#define MUSTER_CHILD_STEP(step, ok) \
  do {                              \
    if (!(ok)) {                    \
      launch.failed_step = (step);  \
      launch.failed_errno = errno;  \
      syscall(SYS_exit, 127);       \
    }                               \
  } while (false)

int RunChild(void* argument) {
  Launch& launch = *static_cast<Launch*>(argument);
  MUSTER_CHILD_STEP("setsid", syscall(SYS_setsid) >= 0);
  if (launch.cgroup_procs_fd >= 0) {
    MUSTER_CHILD_STEP("joining its cgroup", syscall(SYS_write, launch.cgroup_procs_fd, "0", 1) == 1);
  }
  MUSTER_CHILD_STEP("dup of stdin", syscall(SYS_dup3, launch.stdin_fd, 0, 0) == 0);
  MUSTER_CHILD_STEP("dup of stdout", syscall(SYS_dup3, launch.stdout_fd, 1, 0) == 1);
  MUSTER_CHILD_STEP("dup of stderr", syscall(SYS_dup3, launch.stderr_fd, 2, 0) == 2);
  const rlimit no_core{0, 0};
  MUSTER_CHILD_STEP("RLIMIT_CORE", syscall(SYS_prlimit64, 0, RLIMIT_CORE, &no_core, nullptr) == 0);
  if (launch.address_space != nullptr) {
    MUSTER_CHILD_STEP("RLIMIT_AS", syscall(SYS_prlimit64, 0, RLIMIT_AS, launch.address_space, nullptr) == 0);
  }
  if (launch.user != nullptr) MUSTER_CHILD_STEP("becoming another user", BecomeUser(*launch.user));
  if (launch.ends_with_parent) {  // After becoming another user, which would clear it.
    MUSTER_CHILD_STEP("PR_SET_PDEATHSIG", syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0);
  }
  if (launch.working_directory != nullptr) {
    MUSTER_CHILD_STEP("chdir", syscall(SYS_chdir, launch.working_directory) == 0);
  }
  MUSTER_CHILD_STEP("close_range", syscall(SYS_close_range, 3, ~0U, 0) == 0);
  ResetSignals();
  syscall(SYS_execve, launch.program, launch.argv, launch.envp);
  MUSTER_CHILD_STEP("exec", false);
  return 127;
}

#undef MUSTER_CHILD_STEP

// Runs RunChild on a stack of its own, with all signals blocked meanwhile so that no handler of ours runs in the child.
absl::StatusOr<pid_t> Clone(Launch& launch, OwnedFd& pidfd) {
  void* stack = mmap(nullptr, kChildStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return absl::ErrnoToStatus(errno, "cannot map a stack for the child");
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int fd = -1;
  const int pid = __clone(RunChild, static_cast<char*>(stack) + kChildStackBytes,
                          CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &launch, &fd);
  const int clone_errno = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  munmap(stack, kChildStackBytes);
  if (pid < 0) return absl::ErrnoToStatus(clone_errno, "cannot start a process");
  pidfd = OwnedFd(fd);
  return pid;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

void OwnedFd::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

absl::StatusOr<Subprocess> Subprocess::Start(const Options& options) {
  Subprocess child;
  ASSIGN_OR_RETURN(Pipe out, MakePipe());
  ASSIGN_OR_RETURN(Pipe err, MakePipe());
  ASSIGN_OR_RETURN(OwnedFd null, AboveStandard(OwnedFd(open("/dev/null", O_RDONLY | O_CLOEXEC))));
  std::vector<std::string> arguments = {options.program};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(options.environment);
  const rlimit address_space{options.address_space_bytes.value_or(0), options.address_space_bytes.value_or(0)};
  Launch launch{
      .program = options.program.c_str(),
      .argv = argv.data(),
      .envp = envp.data(),
      .working_directory = options.working_directory.empty() ? nullptr : options.working_directory.c_str(),
      .stdin_fd = options.stdin_fd > 2 ? options.stdin_fd : null.get(),
      .stdout_fd = out.write.get(),
      .stderr_fd = err.write.get(),
      .cgroup_procs_fd = options.cgroup_procs_fd,
      .address_space = options.address_space_bytes ? &address_space : nullptr,
      .user = options.user ? &*options.user : nullptr,
      .ends_with_parent = options.ends_with_parent,
  };
  ASSIGN_OR_RETURN(const pid_t pid, Clone(launch, child.pidfd_));
  child.pid_ = Pid(pid);
  if (launch.failed_step != nullptr) {
    int status = 0;
    waitpid(pid, &status, 0);
    child.pid_ = Pid();
    return absl::ErrnoToStatus(launch.failed_errno,
                               absl::StrCat("cannot start ", options.program, ": ", launch.failed_step, " failed"));
  }
  child.stdout_ = std::move(out.read);
  child.stderr_ = std::move(err.read);
  return child;
}

Subprocess& Subprocess::operator=(Subprocess&& other) noexcept {
  std::swap(pid_.value, other.pid_.value);
  std::swap(pidfd_, other.pidfd_);
  std::swap(stdout_, other.stdout_);
  std::swap(stderr_, other.stderr_);
  std::swap(end_, other.end_);
  return *this;
}

Subprocess::~Subprocess() {
  if (pid_ < 0 || Reap()) return;
  SignalGroup(SIGKILL);
  // A process in uninterruptible sleep must not hold up its owner: it is left to be reaped when this process ends.
  pollfd ended{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  poll(&ended, 1, 1000);
  Reap();
}

void Subprocess::SignalGroup(int signal) {
  if (pid_ > 0 && !end_) kill(-pid_, signal);
}

std::optional<Subprocess::End> Subprocess::Reap() {
  if (end_ || pid_ < 0) return end_;
  int status = 0;
  const pid_t got = waitpid(pid_, &status, WNOHANG);
  if (got == 0 || (got < 0 && errno == EINTR)) return std::nullopt;
  end_.emplace();
  if (got < 0) {
    end_->exit_code = -1;  // Somebody else reaped it: SIGCHLD is ignored in this process.
  } else if (WIFSIGNALED(status)) {
    end_->signal = WTERMSIG(status);
  } else {
    end_->exit_code = WEXITSTATUS(status);
  }
  return end_;
}

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name == nullptr ? absl::StrCat("signal ", signal) : absl::StrCat("SIG", name);
}

absl::StatusOr<Subprocess::User> FindUser(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16 * 1024);
  getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("there is no user \"", name, "\" on this machine; create it or name another"));
  }
  Subprocess::User user{.uid = entry.pw_uid, .gid = entry.pw_gid, .groups = std::vector<gid_t>(256)};
  int count = static_cast<int>(user.groups.size());
  if (getgrouplist(name.c_str(), entry.pw_gid, user.groups.data(), &count) < 0) count = 0;
  user.groups.resize(count);
  return user;
}

}  // namespace muster::base
