// The head of an HTTP/1 request, as far as a server of read-only pages needs it. Pure.
#ifndef MUSTER_AGENT_EXPORTER_HTTP_REQUEST_H_
#define MUSTER_AGENT_EXPORTER_HTTP_REQUEST_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace muster::agent {

struct HttpRequest {
  std::string method;         // "GET"
  std::string path;           // "/metrics": without scheme, host and query.
  bool accepts_gzip = false;  // "Accept-Encoding" names gzip, and not with q=0.
};

// Length of the head that `bytes` begin with, its empty line included; 0 while that has not come.
size_t HttpHeadLength(std::string_view bytes);

// InvalidArgument when `head` is no request line of HTTP/1.0 or 1.1 with well-formed header lines behind it.
absl::StatusOr<HttpRequest> ParseHttpRequest(std::string_view head);

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXPORTER_HTTP_REQUEST_H_
