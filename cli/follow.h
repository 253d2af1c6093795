// Watches a run until it ends: takes updates, shows them, begins anew when the stream is lost, and minds the user's
// keys.
#ifndef MUSTER_CLI_FOLLOW_H_
#define MUSTER_CLI_FOLLOW_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "cli/client.h"
#include "cli/environment.h"
#include "cli/run_model.h"
#include "cli/run_view.h"

namespace muster::cli {

struct FollowOptions {
  // The first Ctrl-C asks the coordinator to cancel the run (`muster run`); otherwise it leaves (`muster watch`).
  bool cancels = false;
  // How long a lost coordinator is tried again.
  int64_t reconnect_for_ms = 300'000;
  // The coordinator is known to be there: also the first failure to reach it is tried again.
  bool connected = false;
};

enum class FollowEnd { kFinished, kLeft };

// Unavailable when the coordinator did not come back; other errors are the coordinator's.
absl::StatusOr<FollowEnd> FollowRun(Client& client, const std::string& run_id, const Environment& environment,
                                    const FollowOptions& options, RunModel& model, RunView& view);

}  // namespace muster::cli

#endif  // MUSTER_CLI_FOLLOW_H_
