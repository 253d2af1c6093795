#include "agent/exporter/http_request.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "base/names.h"
#include "base/text.h"

namespace muster::agent {
namespace {

using base::AbslView;

bool IsTokenCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
bool IsToken(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), IsTokenCharacter); }

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

// Cuts off what is before the first `separator`; all of `rest` when there is none.
std::string_view CutTo(std::string_view& rest, char separator) {
  const size_t at = rest.find(separator);
  const std::string_view part = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return part;
}

std::string_view CutLine(std::string_view& rest) {
  std::string_view line = CutTo(rest, '\n');
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

// "gzip, deflate;q=0.5": whether gzip is there and wanted.
bool NamesGzip(std::string_view value) {
  while (!value.empty()) {
    std::string_view parameters = CutTo(value, ',');
    if (!absl::EqualsIgnoreCase(AbslView(Trim(CutTo(parameters, ';'))), "gzip")) continue;
    const std::string_view quality = Trim(parameters);
    double q = 1;
    return !absl::StartsWithIgnoreCase(AbslView(quality), "q=") ||
           (absl::SimpleAtod(AbslView(quality.substr(2)), &q) && q > 0);
  }
  return false;
}

// The path of "/metrics?x=y" and of "http://host:1/metrics"; nothing when it is neither.
std::optional<std::string> PathOf(std::string_view target) {
  if (absl::StartsWithIgnoreCase(AbslView(target), "http://")) {
    const size_t slash = target.find('/', 7);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (target.empty() || target.front() != '/') return std::nullopt;
  for (const char c : target) {
    if (c <= ' ' || c == 0x7f) return std::nullopt;
  }
  return std::string(target.substr(0, target.find_first_of("?#")));
}

}  // namespace

size_t HttpHeadLength(std::string_view bytes) {
  const size_t crlf = bytes.find("\r\n\r\n");
  const size_t lf = bytes.find("\n\n");
  if (crlf == std::string_view::npos && lf == std::string_view::npos) return 0;
  return crlf < lf ? crlf + 4 : lf + 2;
}

absl::StatusOr<HttpRequest> ParseHttpRequest(std::string_view head) {
  std::string_view line = CutLine(head);
  const auto bad = [](std::string_view what, std::string_view found) {
    return absl::InvalidArgumentError(base::Text("expected ", what, ", found ", base::Quoted(found)));
  };
  const std::string_view whole = line;
  HttpRequest request;
  request.method = CutTo(line, ' ');
  const std::optional<std::string> path = PathOf(CutTo(line, ' '));
  if (!IsToken(request.method) || !path.has_value() || (line != "HTTP/1.1" && line != "HTTP/1.0")) {
    return bad("a request line, e.g. GET /metrics HTTP/1.1", whole);
  }
  request.path = *path;
  for (line = CutLine(head); !line.empty(); line = CutLine(head)) {
    std::string_view value = line;
    const std::string_view name = CutTo(value, ':');
    if (!IsToken(name) || name.size() == line.size()) return bad("a header line, NAME: VALUE", line);
    if (absl::EqualsIgnoreCase(AbslView(name), "accept-encoding")) request.accepts_gzip |= NamesGzip(value);
  }
  return request;
}

}  // namespace muster::agent
