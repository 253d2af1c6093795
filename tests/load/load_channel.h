// Channels to the coordinator under load: plaintext, or with identities that its own authority makes on the spot.
#ifndef MUSTER_TESTS_LOAD_LOAD_CHANNEL_H_
#define MUSTER_TESTS_LOAD_LOAD_CHANNEL_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "base/certificate.h"

namespace muster::load {

struct ChannelOptions {
  std::string address;  // HOST:PORT
  bool insecure = false;
  // The coordinator's data folder, which holds ca.pem and ca.key. Needed unless `insecure`.
  std::string authority_folder;
};

// A connection of its own for the agent `name`, shared with no other channel. Ends the process when it cannot be made.
std::shared_ptr<grpc::Channel> AgentChannel(const ChannelOptions& options, const std::string& name);
// As an administrator.
std::shared_ptr<grpc::Channel> ControlChannel(const ChannelOptions& options);
// As whom the caller likes.
std::shared_ptr<grpc::Channel> ChannelAs(const ChannelOptions& options, const base::Identity& identity);

// As somebody who knows the authority's certificate and has none of its own.
std::shared_ptr<grpc::Channel> StrangersChannel(const ChannelOptions& options);

}  // namespace muster::load

#endif  // MUSTER_TESTS_LOAD_LOAD_CHANNEL_H_
