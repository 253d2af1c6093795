// An executor whose programs are scripts of events, and which sees to it that no device serves two of them.
#ifndef MUSTER_TESTS_SIMULATION_SIMULATED_EXECUTOR_H_
#define MUSTER_TESTS_SIMULATION_SIMULATED_EXECUTOR_H_

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "agent/executor/job_executor.h"
#include "agent/outbox/outbox.h"
#include "tests/simulation/scene.h"

namespace muster::simulation {

class SimulatedExecutor final : public agent::JobExecutor {
 public:
  SimulatedExecutor(Scene& scene, int machine) : scene_(scene), machine_(machine) {}

  void SetSink(EventSink sink) override { sink_ = std::move(sink); }
  absl::Status Start(const v1::JobRef& ref, const v1::JobSpec& spec) override;
  void Cancel(const v1::JobRef& ref, std::string_view reason) override;
  bool idle() const { return jobs_.empty(); }

 private:
  struct Job {
    std::deque<v1::Event> script;
    std::set<std::string> devices;
    bool cancelled = false;
    int64_t end_not_before_ms = 0;  // A program that takes its time after SIGTERM.
  };
  std::deque<v1::Event> MakeScript(const v1::JobSpec& spec);
  void StepLater(const v1::JobRef& ref, int64_t delay_ms);
  void Step(const v1::JobRef& ref);

  Scene& scene_;
  const int machine_;
  EventSink sink_;
  std::map<v1::JobRef, Job, agent::RefLess> jobs_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

 public:
  ~SimulatedExecutor() override { *alive_ = false; }
};

}  // namespace muster::simulation

#endif  // MUSTER_TESTS_SIMULATION_SIMULATED_EXECUTOR_H_
