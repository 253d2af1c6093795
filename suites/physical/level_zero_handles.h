// What a queue has of an Intel GPU and gives back: events, modules that were read from files, work that was kept.
#ifndef MUSTER_SUITES_PHYSICAL_LEVEL_ZERO_HANDLES_H_
#define MUSTER_SUITES_PHYSICAL_LEVEL_ZERO_HANDLES_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "suites/physical/compute_device.h"
#include "suites/physical/level_zero_gpu.h"

namespace muster::physical {

// Set by one command, waited for by others or by the host. Not to go while its command is still to come.
class LevelZeroEvent {
 public:
  explicit LevelZeroEvent(LevelZeroGpu& gpu);
  ~LevelZeroEvent();
  LevelZeroEvent(const LevelZeroEvent&) = delete;
  LevelZeroEvent& operator=(const LevelZeroEvent&) = delete;

  ze_event_handle_t handle() const { return event_; }

 private:
  const ZeCalls& ze_;
  ze_event_pool_handle_t pool_ = nullptr;
  ze_event_handle_t event_ = nullptr;
};

// The queues that still need the event hold it, too.
struct LevelZeroQueueEvent final : QueueEvent {
  explicit LevelZeroQueueEvent(std::shared_ptr<LevelZeroEvent> shared) : event(std::move(shared)) {}
  const std::shared_ptr<LevelZeroEvent> event;
};

class LevelZeroModule final : public KernelModule {
 public:
  // Takes the module. Not to go while its kernels run.
  LevelZeroModule(const LevelZeroGpu& gpu, ze_module_handle_t module) : gpu_(gpu), module_(module) {}
  ~LevelZeroModule() override;

  // Throws ToolError for a name that is not in it.
  ze_kernel_handle_t Find(const std::string& kernel) const;

 private:
  const LevelZeroGpu& gpu_;
  const ze_module_handle_t module_;
  mutable std::map<std::string, ze_kernel_handle_t> kernels_;
};

// A closed command list, with a queue of its own beside the immediate list whose work it goes between: each waits for
// the other by an event.
class LevelZeroQueuedWork final : public QueuedWork {
 public:
  // `immediate` is of a queue as `queue` describes it. `settle` waits for all of its work before this goes; false: the
  // device may still be at work, and nothing is freed.
  LevelZeroQueuedWork(LevelZeroGpu& gpu, ze_command_queue_desc_t queue, ze_command_list_handle_t immediate,
                      std::function<bool()> settle);
  ~LevelZeroQueuedWork() override;

  // Open for commands until Close().
  ze_command_list_handle_t list() const { return list_; }
  void Close();
  void Queue() override;

 private:
  const ZeCalls& ze_;
  const ze_command_list_handle_t immediate_;
  const std::function<bool()> settle_;
  std::shared_ptr<LevelZeroEvent> begin_;
  std::shared_ptr<LevelZeroEvent> end_;
  ze_command_list_handle_t list_ = nullptr;
  ze_command_queue_handle_t queue_ = nullptr;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_LEVEL_ZERO_HANDLES_H_
