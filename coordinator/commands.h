// What muster-coordinator does when it is called.
#ifndef MUSTER_COORDINATOR_COMMANDS_H_
#define MUSTER_COORDINATOR_COMMANDS_H_

#include "absl/status/status.h"
#include "coordinator/options.h"

namespace muster::coordinator {

// Makes the certificate authority and the first admin's identity where there are none, and says where they are.
absl::Status Init(const Options& options);

// Serves until SIGTERM or SIGINT. Call before the process has threads.
absl::Status Serve(const Options& options);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_COMMANDS_H_
