// Who this agent is: its key and certificate under STATE-DIR/identity, got with a token once and renewed from then on.
//
// All functions block (files, a call to the coordinator) and may be called on any thread, one at a time; the channel
// maker only reads files.
#ifndef MUSTER_AGENT_IDENTITY_H_
#define MUSTER_AGENT_IDENTITY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/link/connector.h"

namespace muster::agent {

class AgentIdentity {
 public:
  AgentIdentity(std::string folder, std::string coordinator)
      : folder_(std::move(folder)), coordinator_(std::move(coordinator)) {}

  // Loads the identity, or makes a key and has it certified for `name` when there is none and `token` is not empty.
  // FailedPrecondition says what is missing.
  absl::Status LoadOrEnroll(const std::string& token, const std::string& name) const;
  // The name in the certificate.
  absl::StatusOr<std::string> Name() const;
  // With the identity as it is now in the folder.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel() const;
  // A new certificate, when the old one's time comes; what goes wrong is logged and tried again at the next call.
  void RenewWhenDue() const;
  // Why no connection comes about; OK when one would.
  absl::Status Explain() const;

 private:
  absl::Status Renew() const;

  const std::string folder_;
  const std::string coordinator_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_IDENTITY_H_
