#include "base/host_port.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "base/text.h"

namespace muster::base {

absl::StatusOr<HostPort> ParseHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  uint32_t port = 0;
  if (colon == std::string_view::npos || host.empty() ||
      (!bracketed && host.find_first_of(":[]") != std::string_view::npos) ||
      !absl::SimpleAtoi(AbslView(text.substr(colon + 1)), &port) || port > 65'535) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected HOST:PORT, e.g. 127.0.0.1:9464 or [::1]:9464, found ", Quoted(text)));
  }
  if (bracketed) host = host.substr(1, host.size() - 2);
  return HostPort{.host = std::string(host), .port = static_cast<uint16_t>(port)};
}

std::string FormatHostPort(const HostPort& address) {
  return address.host.find(':') == std::string::npos ? absl::StrCat(address.host, ":", address.port)
                                                     : absl::StrCat("[", address.host, "]:", address.port);
}

bool IsLoopbackHost(std::string_view host) {
  return host == "localhost" || host == "::1" || host.substr(0, 4) == "127.";
}

bool IsAnyHost(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

}  // namespace muster::base
