#include "agent/exporter/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/exporter/loopback_client.h"
#include "base/mutex.h"

namespace muster::agent {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// One page that is made at once, and one whose replies the test gives when it likes.
class HttpServerTest : public testing::Test {
 protected:
  void Start(HttpServer::Options options = {}) {
    options.listen = {.host = "127.0.0.1", .port = 0};
    options.pages = {{"/text", [this](HttpPage::Reply reply) { reply({.body = text_}); }},
                     {"/slow", [this](HttpPage::Reply reply) {
                        base::MutexLock lock(mutex_);
                        replies_.push_back(std::move(reply));
                        asked_.NotifyAll();
                      }}};
    auto server = HttpServer::Start(std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string Exchange(const std::string& request) {
    LoopbackClient client(server_->address().port);
    EXPECT_TRUE(client.Send(request));
    return client.ReadAll();
  }
  HttpPage::Reply TakeReply() {
    base::MutexLock lock(mutex_);
    while (replies_.empty()) asked_.Wait(mutex_);
    HttpPage::Reply reply = std::move(replies_.front());
    replies_.erase(replies_.begin());
    return reply;
  }

  std::string text_ = "some text\n";
  base::Mutex mutex_;
  base::CondVar asked_;
  std::vector<HttpPage::Reply> replies_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<HttpServer> server_;
};

std::string Unzip(std::string_view zipped) {
  std::string text(1 << 20, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 16 + 15), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(zipped.data()));
  stream.avail_in = static_cast<uInt>(zipped.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

TEST_F(HttpServerTest, GetAndHead) {
  Start();
  EXPECT_EQ(Exchange("GET /text HTTP/1.1\r\nHost: x\r\n\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 10\r\n"
            "Vary: Accept-Encoding\r\nConnection: close\r\n\r\nsome text\n");
  const std::string head = Exchange("HEAD /text HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 10\r\n"));
  EXPECT_THAT(head, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, GzipForThoseWhoTakeIt) {
  for (int line = 0; line < 500; ++line) text_ += "the same line again and again " + std::to_string(line) + "\n";
  Start();
  const std::string response = Exchange("GET /text HTTP/1.1\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_THAT(response, HasSubstr("\r\nContent-Encoding: gzip\r\n"));
  const std::string body = response.substr(response.find("\r\n\r\n") + 4);
  EXPECT_LT(body.size(), text_.size() / 3);
  EXPECT_EQ(Unzip(body), text_);
  EXPECT_THAT(Exchange("GET /text HTTP/1.1\r\nAccept-Encoding: br\r\n\r\n"), EndsWith(text_));
}

TEST_F(HttpServerTest, WhatIsWrongIsSaid) {
  Start();
  EXPECT_THAT(Exchange("GET /nowhere HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  const std::string post = Exchange("POST /text HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_THAT(post, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(post, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_THAT(Exchange("hello\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(Exchange("GET /text HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));  // And it goes on.
}

// The client still sends when the answer goes out; the answer must not be lost by that.
TEST_F(HttpServerTest, AHugeHeaderIsRefused) {
  Start({.max_head_bytes = 4'096});
  EXPECT_THAT(Exchange("GET /text HTTP/1.1\r\nX: " + std::string(300'000, 'x')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(HttpServerTest, ARequestThatDripsInHasItsTime) {
  Start({.idle_timeout_ms = 50});
  EXPECT_THAT(Exchange("GET /text HTTP/1.1\r\nHost"), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(Exchange(""), "");
}

TEST_F(HttpServerTest, AClientThatDoesNotReadIsDropped) {
  text_ = std::string(32 << 20, 'x');  // More than the kernel keeps for it.
  Start({.max_connections = 1, .idle_timeout_ms = 50});
  LoopbackClient client(server_->address().port);
  int small = 4'096;
  setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  ASSERT_TRUE(client.Send("GET /text HTTP/1.1\r\n\r\n"));
  pollfd hung_up{.fd = client.fd(), .events = POLLRDHUP};
  EXPECT_EQ(poll(&hung_up, 1, LoopbackClient::kTimeoutMs), 1);
}

TEST_F(HttpServerTest, ConnectionsBeyondTheLimitAreTurnedAway) {
  Start({.max_connections = 3});
  std::vector<std::unique_ptr<LoopbackClient>> held;
  std::vector<HttpPage::Reply> replies;
  for (int i = 0; i < 3; ++i) {
    held.push_back(std::make_unique<LoopbackClient>(server_->address().port));
    ASSERT_TRUE(held.back()->Send("GET /slow HTTP/1.1\r\n\r\n"));
    if (i == 0) replies.push_back(TakeReply());
  }
  // Connections are accepted in their order: this one is the fourth.
  EXPECT_THAT(LoopbackClient(server_->address().port).ReadAll(), StartsWith("HTTP/1.1 503 "));
  replies[0]({.body = "late\n"});
  EXPECT_THAT(held[0]->ReadAll(), EndsWith("late\n"));
}

TEST_F(HttpServerTest, ManyAtOnceAllGetTheAnswer) {
  Start({.max_connections = 8});
  std::vector<std::unique_ptr<LoopbackClient>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<LoopbackClient>(server_->address().port));
  for (const auto& client : clients) ASSERT_TRUE(client->Send("GET /slow HTTP/1.1\r\n\r\n"));
  // Requests that came too late for one making of the page have another.
  size_t made = 0;
  std::thread maker([&] {
    for (HttpPage::Reply reply = TakeReply(); reply != nullptr; reply = TakeReply()) {
      ++made;
      reply({.body = "made\n"});
    }
  });
  for (const auto& client : clients) EXPECT_THAT(client->ReadAll(), EndsWith("made\n"));
  {
    base::MutexLock lock(mutex_);
    replies_.push_back(nullptr);
    asked_.NotifyAll();
  }
  maker.join();
  EXPECT_GE(made, 1u);
  EXPECT_LE(made, clients.size());
}

TEST_F(HttpServerTest, APageThatIsNotMadeIsUnavailableAndComesBack) {
  Start({.page_timeout_ms = 50});
  EXPECT_THAT(Exchange("GET /slow HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(Exchange("GET /slow HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(Exchange("GET /text HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));  // Others do not wait for it.
  base::MutexLock lock(mutex_);
  EXPECT_EQ(replies_.size(), 1u);  // What is not made is not asked for again.
}

TEST_F(HttpServerTest, AReplyMayComeWhenTheServerHasGone) {
  Start();
  LoopbackClient client(server_->address().port);
  ASSERT_TRUE(client.Send("GET /slow HTTP/1.1\r\n\r\n"));
  const HttpPage::Reply reply = TakeReply();
  server_.reset();
  EXPECT_EQ(client.ReadAll(), "");
  reply({.body = "too late"});
}

TEST(HttpServer, Ipv6) {
  auto server = HttpServer::Start({.listen = {.host = "::1", .port = 0}, .pages = {}});
  if (!server.ok()) GTEST_SKIP() << "no IPv6 here: " << server.status();
  EXPECT_THAT(base::FormatHostPort((*server)->address()), StartsWith("[::1]:"));
  EXPECT_NE((*server)->address().port, 0);
}

}  // namespace
}  // namespace muster::agent
