// Puts the real parts of the agent together and runs it.
#ifndef MUSTER_AGENT_ASSEMBLY_H_
#define MUSTER_AGENT_ASSEMBLY_H_

#include "absl/status/status.h"
#include "agent/options.h"

namespace muster::agent {

// Until SIGTERM or SIGINT; from the main thread, before there are others. With `enroll_only`, until there is an
// identity.
absl::Status RunAgent(const Options& options);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_ASSEMBLY_H_
