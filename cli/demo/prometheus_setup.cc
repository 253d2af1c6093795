#include "cli/demo/prometheus_setup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/file.h"
#include "base/host_port.h"
#include "base/status_macros.h"
#include "base/subprocess.h"

namespace muster::cli {
namespace {

constexpr uint64_t kMaxConfigBytes = 1 << 20;
constexpr char kUsualCoordinator[] = "127.0.0.1:9464";

std::string SmallConfig(const std::string& coordinator) {
  return absl::StrCat(
      "global:\n  scrape_interval: 5s\nscrape_configs:\n  - job_name: muster-coordinator\n    static_configs:\n"
      "      - targets: [\"",
      coordinator, "\"]\n  - job_name: muster-agent\n    http_sd_configs:\n      - url: http://", coordinator,
      "/sd/prometheus\n");
}

}  // namespace

absl::StatusOr<std::string> WritePrometheusConfig(const std::string& dashboards, const std::string& coordinator,
                                                  const std::string& folder) {
  RETURN_IF_ERROR(base::MakeFolders(folder));
  const std::string config = base::JoinPath(folder, "prometheus.yml");
  const std::string source = base::JoinPath(dashboards, "prometheus");
  if (dashboards.empty() || !base::FileExists(base::JoinPath(source, "prometheus.yml"))) {
    RETURN_IF_ERROR(base::WriteFileAtomic(config, SmallConfig(coordinator)));
    return config;
  }
  std::error_code error;
  std::filesystem::copy(source, folder, std::filesystem::copy_options::recursive, error);
  if (error) return base::ErrnoStatus(error.value(), absl::StrCat("cannot copy ", source, " to ", folder));
  ASSIGN_OR_RETURN(std::string text, base::ReadFile(config, kMaxConfigBytes));
  absl::StrReplaceAll({{kUsualCoordinator, coordinator}}, &text);
  RETURN_IF_ERROR(base::WriteFileAtomic(config, text));
  return config;
}

absl::StatusOr<std::string> FreeLoopbackAddress() {
  const base::OwnedFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (!fd.is_open() || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return base::ErrnoStatus(errno, "cannot find a free port of 127.0.0.1");
  }
  return base::FormatHostPort({.host = "127.0.0.1", .port = ntohs(address.sin_port)});
}

}  // namespace muster::cli
