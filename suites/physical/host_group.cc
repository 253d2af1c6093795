#include "suites/physical/host_group.h"

#include <utility>

#include "suites/physical/portable.h"

// Thread sanitizer's, there with it alone.
extern "C" {
__attribute__((weak)) void* __tsan_get_current_fiber();
__attribute__((weak)) void* __tsan_create_fiber(unsigned flags);
__attribute__((weak)) void __tsan_destroy_fiber(void* fiber);
__attribute__((weak)) void __tsan_switch_to_fiber(void* fiber, unsigned flags);
}

namespace muster::physical {
namespace {

// A kernel calls little and keeps its arrays small; the pages are taken when they are used.
constexpr size_t kStackBytes = 256 << 10;

// The one that runs on this thread.
thread_local HostGroup* running = nullptr;

}  // namespace

HostGroup::HostGroup(uint32_t items) : items_(items) {
  for (Item& item : items_) {
    item.stack.reset(new std::byte[kStackBytes]);
    if (__tsan_create_fiber != nullptr) item.fiber = __tsan_create_fiber(0);
  }
}

HostGroup::~HostGroup() {
  for (Item& item : items_) {
    if (item.fiber != nullptr) __tsan_destroy_fiber(item.fiber);
  }
}

void HostGroup::Run(const std::function<void(uint32_t item)>& turn, const std::function<void()>& work) {
  HostGroup* const outer = std::exchange(running, this);
  work_ = &work;
  host_barrier = Yield;
  if (__tsan_get_current_fiber != nullptr) scheduler_fiber_ = __tsan_get_current_fiber();
  for (Item& item : items_) {
    item.ended = false;
    getcontext(&item.context);
    item.context.uc_stack.ss_sp = item.stack.get();
    item.context.uc_stack.ss_size = kStackBytes;
    item.context.uc_link = nullptr;
    makecontext(&item.context, Begin, 0);
  }
  for (size_t left = items_.size(); left > 0;) {
    for (uint32_t i = 0; i < items_.size(); ++i) {
      if (items_[i].ended) continue;
      turn(i);
      SwitchTo(items_[i]);
      left -= items_[i].ended ? 1 : 0;
    }
  }
  running = outer;
}

void HostGroup::SwitchTo(Item& item) {
  current_ = &item;
  if (item.fiber != nullptr) __tsan_switch_to_fiber(item.fiber, 0);
  swapcontext(&scheduler_, &item.context);
}

void HostGroup::Begin() {
  (*running->work_)();
  running->current_->ended = true;
  Yield();  // For good: nothing goes back to an item that has ended.
}

void HostGroup::Yield() {
  HostGroup& group = *running;
  if (group.scheduler_fiber_ != nullptr) __tsan_switch_to_fiber(group.scheduler_fiber_, 0);
  swapcontext(&group.current_->context, &group.scheduler_);
}

}  // namespace muster::physical
