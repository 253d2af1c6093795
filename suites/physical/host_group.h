// The work items of one group on one thread, in turns: each goes on until it ends or comes to a barrier, then the next.
// When all have come to it, the first goes on.
//
// Contexts (ucontext, of libc) rather than threads: a barrier of 512 threads costs milliseconds, one of 512 contexts
// some hundred microseconds, and a launch has thousands.
#ifndef MUSTER_SUITES_PHYSICAL_HOST_GROUP_H_
#define MUSTER_SUITES_PHYSICAL_HOST_GROUP_H_

#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace muster::physical {

class HostGroup {
 public:
  explicit HostGroup(uint32_t items);
  ~HostGroup();
  HostGroup(const HostGroup&) = delete;
  HostGroup& operator=(const HostGroup&) = delete;

  // Runs `work` for every item; `turn` is called before an item begins or goes on. host_barrier (portable.h) is a
  // barrier meanwhile. `work` must not throw.
  void Run(const std::function<void(uint32_t item)>& turn, const std::function<void()>& work);

 private:
  struct Item {
    ucontext_t context = {};
    std::unique_ptr<std::byte[]> stack;
    // Thread sanitizer's idea of the context; null without it.
    void* fiber = nullptr;
    bool ended = false;
  };

  static void Begin();
  static void Yield();
  void SwitchTo(Item& item);

  std::vector<Item> items_;
  ucontext_t scheduler_ = {};
  void* scheduler_fiber_ = nullptr;
  Item* current_ = nullptr;
  const std::function<void()>* work_ = nullptr;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_HOST_GROUP_H_
