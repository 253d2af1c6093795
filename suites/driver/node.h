// Device nodes: whether this user can open one as the vendors' libraries do.
#ifndef MUSTER_SUITES_DRIVER_NODE_H_
#define MUSTER_SUITES_DRIVER_NODE_H_

#include <string>

namespace muster::driver {

// Why the node cannot be opened for reading and writing: an errno; 0 when it can. `node` as the machine names it,
// "/dev/nvidia0".
int OpenError(const std::string& node);

// Fails the case when it cannot be opened; `advice` is what to do.
void ExpectUsable(const std::string& node, const std::string& advice);

}  // namespace muster::driver

#endif  // MUSTER_SUITES_DRIVER_NODE_H_
