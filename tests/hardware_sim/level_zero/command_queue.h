// A command queue: a thread that runs what it is given, in order. An immediate command list has one of its own.
//
// A command waits for its events, does its work and signals its event. When the device is lost the queue drops what it
// has, and stays lost; when it is destroyed, too.
#ifndef MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_COMMAND_QUEUE_H_
#define MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_COMMAND_QUEUE_H_

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/hardware_sim/level_zero/objects.h"

namespace muster::sim::ze {

using Commands = std::shared_ptr<const std::vector<Command>>;

struct Fence : Object<Kind::kFence> {
  const Device* device = nullptr;
  std::shared_ptr<EventState> state = std::make_shared<EventState>();
};

class CommandQueue : public Object<Kind::kQueue> {
 public:
  CommandQueue(const Device* device, uint32_t ordinal, bool synchronous);
  ~CommandQueue();

  const Device* device() const { return device_; }
  uint32_t ordinal() const { return ordinal_; }
  // The calls that give it work return when that is done.
  bool synchronous() const { return synchronous_; }

  void Submit(Commands commands, std::shared_ptr<EventState> fence);
  // Until all that was submitted is done; the results of WaitFor.
  ze_result_t Synchronize(uint64_t timeout_ns);

 private:
  struct Job {
    Commands commands;
    std::shared_ptr<EventState> fence;
  };

  void Run();
  // False when the queue was lost or ended meanwhile.
  bool RunCommand(const Command& command);
  bool AwaitEvent(EventState& event);
  bool Ended();

  const Device* const device_;
  const uint32_t ordinal_;
  const bool synchronous_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;  // The first one is being run.
  bool ended_ = false;
  bool lost_ = false;

  std::thread thread_;  // Last: it uses the others.
};

}  // namespace muster::sim::ze

#endif  // MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_COMMAND_QUEUE_H_
