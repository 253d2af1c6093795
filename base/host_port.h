// "HOST:PORT", as options and addresses have it: "127.0.0.1:9464", "[::1]:0", "node-7:9465".
#ifndef MUSTER_BASE_HOST_PORT_H_
#define MUSTER_BASE_HOST_PORT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace muster::base {

struct HostPort {
  std::string host;  // Without brackets.
  uint16_t port = 0;
};

// InvalidArgument when `text` is none; an IPv6 address stands in brackets.
absl::StatusOr<HostPort> ParseHostPort(std::string_view text);
// With brackets where the host needs them.
std::string FormatHostPort(const HostPort& address);

// Whether connections from outside this machine cannot reach the host: 127.0.0.0/8, ::1, localhost.
bool IsLoopbackHost(std::string_view host);
// Whether a server on it listens at every address of the machine: 0.0.0.0, ::.
bool IsAnyHost(std::string_view host);

}  // namespace muster::base

#endif  // MUSTER_BASE_HOST_PORT_H_
