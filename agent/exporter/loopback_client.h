// A plain TCP client for the tests of the HTTP server: it can be slow, rude and wrong.
#ifndef MUSTER_AGENT_EXPORTER_LOOPBACK_CLIENT_H_
#define MUSTER_AGENT_EXPORTER_LOOPBACK_CLIENT_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/subprocess.h"

namespace muster::agent {

class LoopbackClient {
 public:
  static constexpr int kTimeoutMs = 20'000;

  explicit LoopbackClient(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

  // Whether all of it could be written.
  bool Send(std::string_view bytes) {
    return send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  // Up to the server's end of the connection.
  std::string ReadAll() {
    std::string all;
    char buffer[4'096];
    for (;;) {
      pollfd poll_fd{.fd = fd_.get(), .events = POLLIN};
      if (poll(&poll_fd, 1, kTimeoutMs) != 1) {
        ADD_FAILURE() << "the server neither answered nor closed within " << kTimeoutMs << " ms";
        return all;
      }
      const ssize_t count = recv(fd_.get(), buffer, sizeof buffer, 0);
      if (count <= 0) return all;
      all.append(buffer, static_cast<size_t>(count));
    }
  }
  int fd() const { return fd_.get(); }

 private:
  base::OwnedFd fd_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXPORTER_LOOPBACK_CLIENT_H_
