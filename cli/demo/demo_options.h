// What `muster demo` can be told.
#ifndef MUSTER_CLI_DEMO_DEMO_OPTIONS_H_
#define MUSTER_CLI_DEMO_DEMO_OPTIONS_H_

#include <cstdint>
#include <string>

namespace muster::cli {

struct DemoOptions {
  uint32_t machines = 4;
  std::string dir;               // Empty: a temporary one, removed at the end.
  double fault_interval_s = 60;  // 0: none.
  uint64_t seed = 1;
  std::string once;  // A kind of fault: this one at once, and no others.
  double for_s = 0;  // 0: until Ctrl-C.
  bool no_prometheus = false;
};

}  // namespace muster::cli

#endif  // MUSTER_CLI_DEMO_DEMO_OPTIONS_H_
