#include "agent/exporter/http_request.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace muster::agent {
namespace {

HttpRequest Good(const std::string& head) {
  const auto request = ParseHttpRequest(head);
  EXPECT_TRUE(request.ok()) << request.status();
  return request.value_or(HttpRequest{});
}

TEST(HttpRequest, TheHeadEndsWithAnEmptyLine) {
  EXPECT_EQ(HttpHeadLength(""), 0u);
  EXPECT_EQ(HttpHeadLength("GET / HTTP/1.1\r\nHost: x\r\n"), 0u);
  EXPECT_EQ(HttpHeadLength("GET / HTTP/1.1\r\n\r\nmore"), 18u);
  EXPECT_EQ(HttpHeadLength("GET / HTTP/1.0\n\nmore\r\n\r\n"), 16u);
}

TEST(HttpRequest, MethodAndPath) {
  const HttpRequest request = Good("GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.path, "/metrics");
  EXPECT_FALSE(request.accepts_gzip);
  EXPECT_EQ(Good("HEAD http://node-1:9465/healthz HTTP/1.1\r\n\r\n").path, "/healthz");
  EXPECT_EQ(Good("GET http://node-1:9465 HTTP/1.0\n\n").path, "/");
}

TEST(HttpRequest, GzipIsAcceptedWhereItIsSaidSo) {
  const auto accepts = [](const std::string& value) {
    return Good("GET / HTTP/1.1\r\naccept-Encoding:" + value + "\r\n\r\n").accepts_gzip;
  };
  EXPECT_TRUE(accepts("gzip"));
  EXPECT_TRUE(accepts(" deflate, GZIP ;q=0.5, br"));
  EXPECT_FALSE(accepts("gzip;q=0"));
  EXPECT_FALSE(accepts("gzip; q=0.0, br"));
  EXPECT_FALSE(accepts("x-gzip"));
  EXPECT_FALSE(accepts(""));
}

TEST(HttpRequest, WhatIsNoneIsRefused) {
  for (const char* head :
       {"", "\r\n\r\n", "GET /metrics\r\n\r\n", "GET  /metrics HTTP/1.1\r\n\r\n", "GET metrics HTTP/1.1\r\n\r\n",
        "GET /metrics HTTP/2.0\r\n\r\n", "G<T /metrics HTTP/1.1\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n", "GET / HTTP/1.1\r\n: empty\r\n\r\n", "GET / HTTP/1.1\r\nA : b\r\n\r\n"}) {
    EXPECT_FALSE(ParseHttpRequest(head).ok()) << head;
  }
}

// Deterministic sister of a fuzzer: nothing that arrives makes it read beyond its end (address sanitizer sees that).
TEST(HttpRequest, AnythingMayArrive) {
  std::mt19937 random(7);
  const std::string valid = "GET http://x/metrics?q HTTP/1.1\r\nAccept-Encoding: gzip;q=1, br\r\nHost: x\r\n\r\n";
  size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string head = valid.substr(0, random() % (valid.size() + 1));
    for (uint32_t change = random() % 4; change > 0 && !head.empty(); --change)
      head[random() % head.size()] = static_cast<char>(random());
    if (!ParseHttpRequest(head).ok()) ++refused;
  }
  EXPECT_GT(refused, 1'000u);
}

}  // namespace
}  // namespace muster::agent
