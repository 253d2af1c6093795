#include "agent/health/kernel_log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/kernel_record.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/subprocess.h"

namespace muster::agent {
namespace {

constexpr int kRetryMs = 1'000;
// A plain file is looked at so often even when nothing tells that it changed (file systems without inotify).
constexpr int kLookMs = 1'000;
constexpr size_t kMaxBatch = 256;
constexpr int kMaxUnderWay = 4;

int64_t ClockMs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * 1'000 + now.tv_nsec / 1'000'000;
}

// What the thread and the loop both know.
class Delivery {
 public:
  Delivery(base::EventLoop& loop, KernelLogSource::Callbacks callbacks)
      : loop_(loop), callbacks_(std::make_shared<KernelLogSource::Callbacks>(std::move(callbacks))) {}

  // On the loop: nothing is delivered from now on, and the thread need not wait.
  void Close() {
    callbacks_.reset();
    const base::MutexLock lock(mutex_);
    closed_ = true;
    room_.NotifyAll();
  }
  // On the thread; waits for room. False once closed.
  static bool Post(const std::shared_ptr<Delivery>& self, std::function<void(KernelLogSource::Callbacks&)> task) {
    {
      const base::MutexLock lock(self->mutex_);
      while (!self->closed_ && self->under_way_ >= kMaxUnderWay) self->room_.Wait(self->mutex_);
      if (self->closed_) return false;
      ++self->under_way_;
    }
    self->loop_.Post([self, task = std::move(task)] {
      if (self->callbacks_) task(*std::shared_ptr<KernelLogSource::Callbacks>(self->callbacks_));
      const base::MutexLock lock(self->mutex_);
      --self->under_way_;
      self->room_.NotifyAll();
    });
    return true;
  }

 private:
  base::EventLoop& loop_;
  std::shared_ptr<KernelLogSource::Callbacks> callbacks_;  // The loop's alone.
  base::Mutex mutex_;
  base::CondVar room_;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

// The thread's side: everything here is its own.
class Reader {
 public:
  Reader(const base::EventCatalogue& catalogue, std::string path, int stop_fd, std::shared_ptr<Delivery> delivery)
      : catalogue_(catalogue), path_(std::move(path)), stop_fd_(stop_fd), delivery_(std::move(delivery)) {}

  void Run() {
    while (!stopped_) {
      if (!log_.is_open() && !Open()) {
        Wait(-1, kRetryMs);
        continue;
      }
      const bool more = is_file_ ? ReadFile() : ReadDevice();
      Flush();
      if (!more && log_.is_open()) is_file_ ? WaitForFile() : WaitForDevice();
    }
  }

 private:
  bool Open() {
    log_ = base::OwnedFd(open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct stat info {};
    if (!log_.is_open() || fstat(log_.get(), &info) != 0) {
      Unreadable(errno);
      return false;
    }
    is_file_ = S_ISREG(info.st_mode);
    inode_ = info.st_ino;
    offset_ = 0;
    partial_.clear();
    // A container may show the device and not let it be read: the first read tells.
    if (!is_file_) return true;
    Readable();
    return true;
  }
  void Readable() {
    if (std::exchange(said_, 1) != 1) Say({.readable = true, .lost = lost_});
  }
  void Unreadable(int error) {
    log_ = base::OwnedFd();
    if (std::exchange(said_, 0) != 0) {
      Say({.problem = absl::StrCat("cannot read ", path_, ": ", strerror(error)), .lost = lost_});
    }
  }
  void Say(KernelLogStatus status) {
    stopped_ |= !Delivery::Post(delivery_, [status = std::move(status)](KernelLogSource::Callbacks& callbacks) {
      callbacks.on_status(status);
    });
  }

  // Whether more may be there at once.
  bool ReadDevice() {
    std::array<char, base::kMaxKernelRecordBytes> buffer;
    for (size_t i = 0; i < kMaxBatch; ++i) {
      const ssize_t got = read(log_.get(), buffer.data(), buffer.size());
      if (got > 0) {
        Readable();
        Take({buffer.data(), static_cast<size_t>(got)});
      } else if (got < 0 && errno == EPIPE) {
        lost_before_next_ = true;
        waited_for_ = false;  // The next one is the oldest.
      } else if (got < 0 && errno == EINVAL) {
        Lose(1);  // A record longer than the kernel's own bound.
      } else if (got < 0 && errno == EINTR) {
        continue;
      } else if (got < 0 && errno == EAGAIN) {
        Readable();
        return false;
      } else {
        Unreadable(got == 0 ? ENODATA : errno);
        Wait(-1, kRetryMs);
        return false;
      }
    }
    return true;
  }
  bool ReadFile() {
    struct stat info {};
    if (stat(path_.c_str(), &info) != 0 || info.st_ino != inode_ || info.st_size < offset_) {
      log_ = base::OwnedFd();  // Replaced, or begun anew.
      return false;
    }
    modified_unix_ms_ = info.st_mtim.tv_sec * 1'000 + info.st_mtim.tv_nsec / 1'000'000;
    std::array<char, 16 << 10> buffer;
    while (batch_.size() < kMaxBatch) {
      const ssize_t got = read(log_.get(), buffer.data(), buffer.size());
      if (got <= 0) return false;
      offset_ += got;
      TakeLines({buffer.data(), static_cast<size_t>(got)});
    }
    return true;
  }
  void TakeLines(std::string_view text) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      if (partial_.size() <= base::kMaxKernelRecordBytes) partial_ += text.substr(0, end);
      if (end == std::string_view::npos) return;
      if (partial_.size() <= base::kMaxKernelRecordBytes) Take(partial_);
      partial_.clear();
      text.remove_prefix(end + 1);
    }
  }

  void Take(std::string_view bytes) {
    absl::StatusOr<base::KernelRecord> record = base::ParseKernelRecord(bytes);
    if (!record.ok()) return;
    if (std::exchange(lost_before_next_, false)) {
      Lose(record->sequence > last_sequence_ + 1 ? record->sequence - last_sequence_ - 1 : 1);
    }
    last_sequence_ = record->sequence;
    last_since_boot_us_ = record->since_boot_us;
    if (std::exchange(waited_for_, false)) clock_lag_ms_ = ClockMs(CLOCK_MONOTONIC) - record->since_boot_us / 1'000;
    if (record->facility != 0) return;
    std::optional<base::EventCatalogue::Match> match = catalogue_.Classify(record->text);
    if (!match) return;
    since_boot_ms_.push_back(record->since_boot_us / 1'000);
    batch_.push_back({*std::move(match), 0, std::move(record->text)});
  }
  void Lose(uint64_t count) {
    lost_ += count;
    Say({.readable = true, .lost = lost_});
  }
  void Flush() {
    if (batch_.empty()) return;
    // A file's newest record was written when the file was.
    const int64_t boot_unix_ms = is_file_ ? modified_unix_ms_ - last_since_boot_us_ / 1'000
                                          : ClockMs(CLOCK_REALTIME) - ClockMs(CLOCK_MONOTONIC) + clock_lag_ms_;
    for (size_t i = 0; i < batch_.size(); ++i) batch_[i].time_unix_ms = boot_unix_ms + since_boot_ms_[i];
    since_boot_ms_.clear();
    stopped_ |= !Delivery::Post(delivery_, [events = std::exchange(batch_, {})](KernelLogSource::Callbacks& callbacks) {
      callbacks.on_events(events);
    });
  }

  // For `fd` (-1: none) to have something, for the stop, or for the time (-1: for ever).
  void Wait(int fd, int timeout_ms) {
    pollfd fds[] = {{stop_fd_, POLLIN, 0}, {fd, POLLIN, 0}};
    poll(fds, 2, timeout_ms);
    stopped_ |= fds[0].revents != 0;
  }
  void WaitForDevice() {
    Wait(log_.get(), -1);
    waited_for_ = true;
  }
  void WaitForFile() {
    base::OwnedFd watch(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (watch.is_open()) {
      inotify_add_watch(watch.get(), path_.c_str(), IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF);
      struct stat info {};
      if (stat(path_.c_str(), &info) != 0 || info.st_ino != inode_ || info.st_size != offset_) return;
    }
    Wait(watch.is_open() ? watch.get() : -1, kLookMs);
  }

  const base::EventCatalogue& catalogue_;
  const std::string path_;
  const int stop_fd_;
  const std::shared_ptr<Delivery> delivery_;
  bool stopped_ = false;
  base::OwnedFd log_;
  bool is_file_ = false;
  int said_ = -1;  // Whether it was said to be readable; -1: nothing was said.
  // Of a file.
  ino_t inode_ = 0;
  off_t offset_ = 0;
  std::string partial_;
  int64_t modified_unix_ms_ = 0;
  // Of the device. The clock of its records is not corrected as the monotonic one is, and differs by minutes after some
  // months; a record that was waited for is of this moment and shows by how much.
  bool waited_for_ = false;
  int64_t clock_lag_ms_ = 0;
  // Of the records.
  uint64_t last_sequence_ = 0;
  int64_t last_since_boot_us_ = 0;
  bool lost_before_next_ = false;
  uint64_t lost_ = 0;
  std::vector<KernelEvent> batch_;
  std::vector<int64_t> since_boot_ms_;  // Of the batch.
};

class KernelLog final : public KernelLogSource {
 public:
  KernelLog(base::EventLoop& loop, const base::EventCatalogue& catalogue, const std::string& root, Callbacks callbacks)
      : delivery_(std::make_shared<Delivery>(loop, std::move(callbacks))),
        stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        thread_([reader = std::make_unique<Reader>(catalogue, base::JoinPath(root, "dev/kmsg"), stop_.get(),
                                                   delivery_)] { reader->Run(); }) {}
  ~KernelLog() override {
    delivery_->Close();
    const uint64_t one = 1;
    if (write(stop_.get(), &one, sizeof one) != sizeof one) base::LogError("cannot stop the reader of the kernel log");
    thread_.join();
  }

 private:
  const std::shared_ptr<Delivery> delivery_;
  const base::OwnedFd stop_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<KernelLogSource> OpenKernelLog(base::EventLoop& loop, const base::EventCatalogue& catalogue,
                                               const std::string& root, KernelLogSource::Callbacks callbacks) {
  return std::make_unique<KernelLog>(loop, catalogue, root, std::move(callbacks));
}

}  // namespace muster::agent
