// What muster-coordinator --ready-file says: {"listen":"127.0.0.1:7443","http":"127.0.0.1:9464"}.
#ifndef MUSTER_CLI_DEMO_READY_FILE_H_
#define MUSTER_CLI_DEMO_READY_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace muster::cli {

struct ReadyAddresses {
  std::string listen;
  std::string http;
};
absl::StatusOr<ReadyAddresses> ReadReadyFile(const std::string& path);

}  // namespace muster::cli

#endif  // MUSTER_CLI_DEMO_READY_FILE_H_
