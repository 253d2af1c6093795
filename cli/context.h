// What every command is given: the process's environment, the global options, and the connection, made when first asked
// for.
#ifndef MUSTER_CLI_CONTEXT_H_
#define MUSTER_CLI_CONTEXT_H_

#include <memory>
#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "cli/client.h"
#include "cli/endpoint.h"
#include "cli/environment.h"
#include "cli/palette.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace muster::cli {

struct GlobalOptions {
  EndpointOptions endpoint;
  std::string colour = "auto";  // auto, always or never.
};

class Context {
 public:
  Context(const Environment& environment, GlobalOptions options)
      : environment_(environment), options_(std::move(options)) {}

  const Environment& environment() const { return environment_; }
  const GlobalOptions& options() const { return options_; }
  std::ostream& out() const { return *environment_.out; }
  std::ostream& err() const { return *environment_.err; }

  // How to print to `out` and to `err`.
  Palette palette() const { return MakePalette(environment_.out_is_terminal); }
  Palette err_palette() const { return MakePalette(environment_.err_is_terminal); }
  // Columns of a table on `out`; 0 (no limit) when it is not a terminal.
  size_t table_width() const;

  absl::StatusOr<Client*> client();

  // Writes to `path`, or to `out` for "-".
  absl::Status WriteFile(const std::string& path, const std::string& content) const;
  // A message in protobuf's JSON mapping, indented, with a line end.
  static std::string Json(const google::protobuf::Message& message);

 private:
  Palette MakePalette(bool terminal) const;

  const Environment& environment_;
  GlobalOptions options_;
  std::unique_ptr<Client> client_;
};

}  // namespace muster::cli

#endif  // MUSTER_CLI_CONTEXT_H_
