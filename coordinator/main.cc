// muster-coordinator: `init` makes the certificate authority, `serve` (the default) serves until SIGTERM.
//
// Exit status: 0 done, 2 usage, 1 anything else, with the reason on standard error.
#include <cstdio>
#include <string>
#include <variant>

#include "base/log.h"
#include "coordinator/commands.h"
#include "coordinator/options.h"

int main(int argc, char** argv) {
  using muster::coordinator::Options;
  const std::variant<Options, int> parsed = muster::coordinator::ParseOptions(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const Options& options = std::get<Options>(parsed);
  muster::base::SetLogLevel(options.log_level);
  const absl::Status status = options.init ? muster::coordinator::Init(options) : muster::coordinator::Serve(options);
  if (!status.ok()) fprintf(stderr, "muster-coordinator: %s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
