#include "agent/telemetry/call_slot.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "absl/strings/str_cat.h"
#include "base/clean_text.h"

namespace muster::agent {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

// Text in words, so that a reader in another process sees whole words at least.
template <size_t kWords>
using SharedText = std::array<std::atomic<uint64_t>, kWords>;

template <size_t kWords>
void Write(SharedText<kWords>& to, absl::string_view text) {
  std::array<char, kWords* 8> bytes = {};
  std::memcpy(bytes.data(), text.data(), std::min(text.size(), bytes.size()));
  for (size_t i = 0; i < kWords; ++i) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i * 8, 8);
    to[i].store(word, std::memory_order_relaxed);
  }
}

template <size_t kWords>
std::string Read(const SharedText<kWords>& from) {
  std::array<char, kWords* 8> bytes = {};
  for (size_t i = 0; i < kWords; ++i) {
    const uint64_t word = from[i].load(std::memory_order_acquire);
    std::memcpy(bytes.data() + i * 8, &word, 8);
  }
  return std::string(bytes.data(), bytes.size());
}

}  // namespace

struct CallSlot::Page {
  std::atomic<uint64_t> sequence{0};  // Odd while the texts are written.
  std::atomic<int64_t> call_began_ms{0};
  std::atomic<int64_t> turn_began_ms{0};
  std::atomic<uint32_t> sampling{0};
  SharedText<4> device = {};
  SharedText<8> call = {};
};

int64_t MonotonicMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

absl::StatusOr<std::unique_ptr<CallSlot>> CallSlot::Create() {
  static_assert(sizeof(Page) <= kPageBytes && std::atomic<uint64_t>::is_always_lock_free);
  base::OwnedFd made(memfd_create("muster-call-slot", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!made.is_open()) return absl::ErrnoToStatus(errno, "cannot make shared memory (memfd_create)");
  base::OwnedFd fd(fcntl(made.get(), F_DUPFD_CLOEXEC, 3));  // Clear of the standard descriptors.
  if (!fd.is_open()) return absl::ErrnoToStatus(errno, "cannot duplicate a descriptor");
  // Sealed, so that nobody can take the memory away from under a reader.
  if (ftruncate(fd.get(), kPageBytes) != 0 || fcntl(fd.get(), F_ADD_SEALS, kSeals) != 0) {
    return absl::ErrnoToStatus(errno, "cannot size and seal shared memory");
  }
  void* memory = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return absl::ErrnoToStatus(errno, "cannot map shared memory");
  return std::unique_ptr<CallSlot>(new CallSlot(std::move(fd), new (memory) Page));
}

CallSlot::~CallSlot() { munmap(page_, kPageBytes); }

CallState CallSlot::Read() const {
  constexpr int kTries = 8;  // A child killed while it writes leaves the sequence odd for good.
  CallState state;
  for (int i = 0; i < kTries; ++i) {
    state.sequence = page_->sequence.load(std::memory_order_acquire);
    state.device = agent::Read(page_->device);
    state.call = agent::Read(page_->call);
    state.call_began_ms = page_->call_began_ms.load(std::memory_order_acquire);
    state.turn_began_ms = page_->turn_began_ms.load(std::memory_order_acquire);
    state.sampling = page_->sampling.load(std::memory_order_acquire) != 0;
    if (state.sequence % 2 == 0 && page_->sequence.load(std::memory_order_acquire) == state.sequence) break;
  }
  // Nothing began before the clock or is still to begin.
  const int64_t now_ms = MonotonicMs();
  for (int64_t* began_ms : {&state.call_began_ms, &state.turn_began_ms}) {
    if (*began_ms < 0 || *began_ms > now_ms) *began_ms = 0;
  }
  state.device = base::CleanText(state.device, 32);
  state.call = base::CleanText(state.call, 64);
  return state;
}

CallSlotWriter::CallSlotWriter(int fd) {
  struct stat info {};
  void* memory = MAP_FAILED;
  if (fcntl(fd, F_GET_SEALS) == kSeals && fstat(fd, &info) == 0 && info.st_size == static_cast<off_t>(kPageBytes)) {
    memory = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  if (memory == MAP_FAILED) {
    memory = mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (memory == MAP_FAILED) std::abort();
  page_ = static_cast<CallSlot::Page*>(memory);  // All zeroes, or made by Create().
}

CallSlotWriter::~CallSlotWriter() { munmap(page_, kPageBytes); }

void CallSlotWriter::Enter(absl::string_view device, const char* call) {
  page_->sequence.fetch_add(1, std::memory_order_acq_rel);
  if (device != device_) {
    device_ = std::string(device);
    Write(page_->device, device_);
  }
  if (call != call_) Write(page_->call, call_ = call);
  page_->sequence.fetch_add(1, std::memory_order_acq_rel);
  page_->call_began_ms.store(MonotonicMs(), std::memory_order_release);
}

void CallSlotWriter::Leave() { page_->call_began_ms.store(0, std::memory_order_release); }
void CallSlotWriter::Started() { page_->sampling.store(1, std::memory_order_release); }
void CallSlotWriter::BeginTurn() { page_->turn_began_ms.store(MonotonicMs(), std::memory_order_release); }
void CallSlotWriter::EndTurn() { page_->turn_began_ms.store(0, std::memory_order_release); }

}  // namespace muster::agent
