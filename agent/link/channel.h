// A channel to the coordinator with the agent's limits and keepalive.
#ifndef MUSTER_AGENT_LINK_CHANNEL_H_
#define MUSTER_AGENT_LINK_CHANNEL_H_

#include <memory>
#include <string>

namespace grpc {
class Channel;
class ChannelCredentials;
}  // namespace grpc

namespace muster::agent {

// Longer messages from the coordinator end the session.
inline constexpr int kMaxMessageBytes = 4 << 20;
// A ping after so long without a word; the coordinator must allow pings that often.
inline constexpr int kKeepaliveMs = 30'000;
inline constexpr int kKeepaliveTimeoutMs = 10'000;

// `server_name` is what the coordinator's certificate must say; empty: the address's host.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address, const std::string& server_name,
                                           const std::shared_ptr<grpc::ChannelCredentials>& credentials);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_LINK_CHANNEL_H_
