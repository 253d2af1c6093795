// One machine: its disk, which outlives everything, and its agent, which is started and killed.
#ifndef MUSTER_TESTS_SIMULATION_SIMULATED_MACHINE_H_
#define MUSTER_TESTS_SIMULATION_SIMULATED_MACHINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/link/agent_core.h"
#include "agent/link/back_off.h"
#include "agent/outbox/outbox.h"
#include "base/file_system_fake.h"
#include "tests/simulation/scene.h"
#include "tests/simulation/simulated_executor.h"

namespace muster::simulation {

class SimulatedMachine final : public agent::MessageSink {
 public:
  SimulatedMachine(Scene& scene, int index, int devices);

  int index() const { return index_; }
  std::string name() const { return absl::StrCat("m", index_); }
  void Start();
  // The agent dies; with a power cut the disk's unsynced part, too.
  void Kill(bool power_cut);
  // It dies, and what it had on its disk is gone; it may start again.
  void WipeDisk();
  // It dies and never comes back.
  void Lose();
  bool running() const { return core_ != nullptr; }
  bool lost() const { return lost_; }
  void SetDiskFull(bool full);
  // The next sync fails; the agent ends then, as the daemon does.
  void FailSync();
  void JumpClock(int64_t by_ms) { clock_offset_ms_ += by_ms; }
  // One of its devices gets another health. Without devices nothing happens.
  void ChangeHealth();
  std::string device(int index) const { return absl::StrCat(name(), "-gpu", index); }
  int devices() const { return devices_; }
  // Its newest health report in this life; 0: it gave none.
  int64_t health_report() const { return health_report_; }
  // Nothing runs and nothing is owed.
  bool quiet() const { return lost_ || (core_ != nullptr && executor_->idle() && outbox_->Attempts().empty()); }
  std::string Describe() const;

 private:
  base::Time Now() const;
  v1::Hello MakeHello() const;
  void Send(v1::AgentMessage message) override;
  // Gives the core a health report; which of them is the newest is told by its time.
  void ReportHealth();
  void TryConnect();
  void TryLater();
  void Wake();
  void Turn();
  void BeginSync();
  void EndSync(const agent::SyncJob& job, const std::vector<std::pair<v1::JobRef, size_t>>& counts);

  Scene& scene_;
  const int index_;
  const int devices_;
  const uint64_t outbox_limit_bytes_;
  base::FakeFileSystem disk_;
  int64_t clock_offset_ms_ = 0;
  bool lost_ = false;
  bool disk_full_ = false;
  std::vector<v1::HealthState> health_;  // Of each device; lasts.
  int64_t health_reports_ = 0;           // In all its lives.
  bool pressed_ = false;                 // Something may have been dropped in this life.

  // Of the agent's life.
  std::shared_ptr<bool> alive_;
  std::unique_ptr<agent::Outbox> outbox_;
  std::unique_ptr<SimulatedExecutor> executor_;
  std::unique_ptr<agent::AgentCore> core_;
  std::unique_ptr<agent::BackOff> back_off_;
  int64_t health_report_ = 0;
  StreamId stream_ = 0;  // 0: none.
  bool turn_posted_ = false;
  int64_t timer_at_ms_ = INT64_MAX;
};

}  // namespace muster::simulation

#endif  // MUSTER_TESTS_SIMULATION_SIMULATED_MACHINE_H_
