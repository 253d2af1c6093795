// A fleet to look at without a GPU: `muster demo` starts a coordinator, simulated machines with an agent each, and
// Prometheus where there is one, on this machine's loopback; then it breaks a GPU now and then and says how it showed.
//
// Nothing of it is real, and everything says so: devices are marked as simulated in the inventory, in metrics, in
// results. All of it ends with the command.
#ifndef MUSTER_CLI_DEMO_DEMO_H_
#define MUSTER_CLI_DEMO_DEMO_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/demo/alerts.h"
#include "cli/demo/children.h"
#include "cli/demo/demo_fleet.h"
#include "cli/demo/installation.h"

namespace muster::cli {

class Demo {
 public:
  Demo(const DemoOptions& options, const Installation& installation, Context& context);
  // Ends all it has started, and removes its folder unless that was given.
  ~Demo();
  Demo(const Demo&) = delete;
  Demo& operator=(const Demo&) = delete;

  // Until its time is over or the user ends it. The exit status; an error when a part of it ended by itself.
  absl::StatusOr<int> Run();

 private:
  using Clock = std::chrono::steady_clock;
  using Target = DemoFleet::Target;
  using Fleet = std::map<std::string, v1::MachineStatus>;  // By the machine's name.
  // A fault that was injected, from when health is watched for it.
  struct Watched {
    const FaultKind* kind = nullptr;
    Target target;
    Clock::time_point since;
    std::set<std::string> codes_before;
    bool shown = false;
    bool over = false;
  };

  absl::Status Start();
  absl::Status MakeFolder();
  absl::Status StartCoordinator();
  absl::Status StartMachine(const DemoFleet::Machine& machine);
  absl::Status StartPrometheus();
  absl::Status WriteScenario() const;
  // Pumps until `done`; DeadlineExceeded names `what`.
  template <typename Condition>
  absl::Status WaitFor(const std::string& what, Condition done);
  void SayWhereThingsAre(const Fleet& fleet) const;
  absl::StatusOr<Fleet> Look();
  // The first simulated GPU that is not there or not healthy, and why; empty when all are.
  std::string Missing(const Fleet& fleet) const;

  absl::Status Turn();
  absl::Status Inject(const FaultKind& kind, const Fleet& fleet);
  void Watch(const Fleet& fleet);
  void WatchOne(const Fleet& fleet, Watched& watched);
  void LookAtAlerts();
  bool IsOver() const;
  int Summary() const;

  std::string Path(const std::string& name) const;
  std::string NameOf(const Target& target) const;
  double SecondsNow() const;
  void Say(const std::string& line) const;

  const DemoOptions options_;
  const Installation installation_;
  Context& context_;
  DemoFleet fleet_;
  Children children_;
  std::string folder_;
  bool folder_is_ours_ = false;
  std::string address_;       // Of the coordinator.
  std::string http_address_;  // Of its /metrics.
  std::string prometheus_address_;
  std::unique_ptr<Client> client_;
  int64_t start_unix_ms_ = 0;
  Clock::time_point started_;
  Clock::time_point next_fault_;
  Clock::time_point next_look_;
  Clock::time_point next_alerts_;
  std::vector<Watched> watched_;
  std::set<Alert> alerts_;
};

}  // namespace muster::cli

#endif  // MUSTER_CLI_DEMO_DEMO_H_
