#include "cli/demo/alerts.h"

#include <arpa/inet.h>
#include <google/protobuf/struct.pb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/host_port.h"
#include "base/json.h"
#include "base/status_macros.h"
#include "base/subprocess.h"

namespace muster::cli {
namespace {

constexpr size_t kMaxAnswerBytes = 4 << 20;

// The body of a GET, by HTTP/1.0: the answer ends with the connection.
absl::StatusOr<std::string> Get(const std::string& address, const std::string& path) {
  ASSIGN_OR_RETURN(const base::HostPort where, base::ParseHostPort(address));
  const base::OwnedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval second{.tv_sec = 1, .tv_usec = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &second, sizeof second);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(where.port);
  if (inet_pton(AF_INET, where.host.c_str(), &to.sin_addr) != 1 ||
      connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    return base::ErrnoStatus(errno, absl::StrCat("cannot connect to ", address));
  }
  const std::string request = absl::StrCat("GET ", path, " HTTP/1.0\r\nHost: ", address, "\r\n\r\n");
  if (send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return base::ErrnoStatus(errno, absl::StrCat("cannot ask ", address));
  }
  std::string answer;
  char buffer[16 << 10];
  ssize_t count = 0;
  while ((count = recv(fd.get(), buffer, sizeof buffer, 0)) > 0 && answer.size() < kMaxAnswerBytes) {
    answer.append(buffer, static_cast<size_t>(count));
  }
  if (count != 0) return absl::UnavailableError(absl::StrCat(address, " gave no whole answer"));
  const size_t head = answer.find("\r\n\r\n");
  if (head == std::string::npos) return absl::UnavailableError(absl::StrCat(address, " gave no HTTP answer"));
  return answer.substr(head + 4);
}

using Fields = google::protobuf::Map<std::string, google::protobuf::Value>;

const google::protobuf::Value& Find(const Fields& fields, const std::string& name) {
  const auto found = fields.find(name);
  return found == fields.end() ? google::protobuf::Value::default_instance() : found->second;
}

}  // namespace

absl::StatusOr<std::set<Alert>> ParseFiringAlerts(std::string_view json) {
  google::protobuf::Struct answer;
  RETURN_IF_ERROR(base::FromJson(json, base::UnknownFields::kIgnore, &answer));
  std::set<Alert> alerts;
  for (const auto& value :
       Find(Find(answer.fields(), "data").struct_value().fields(), "alerts").list_value().values()) {
    const Fields& alert = value.struct_value().fields();
    if (Find(alert, "state").string_value() != "firing") continue;
    const Fields& labels = Find(alert, "labels").struct_value().fields();
    alerts.insert({.name = Find(labels, "alertname").string_value(),
                   .machine = Find(labels, "machine").string_value(),
                   .gpu = Find(labels, "gpu").string_value()});
  }
  return alerts;
}

absl::StatusOr<std::set<Alert>> FiringAlerts(const std::string& address) {
  ASSIGN_OR_RETURN(const std::string body, Get(address, "/api/v1/alerts"));
  return ParseFiringAlerts(body);
}

}  // namespace muster::cli
