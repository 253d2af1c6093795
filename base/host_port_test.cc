#include "base/host_port.h"

#include <gtest/gtest.h>

namespace muster::base {
namespace {

TEST(HostPort, ComesBackAsItWas) {
  for (const char* text : {"127.0.0.1:9464", "[::1]:0", "node-7.example:65535"}) {
    const auto parsed = ParseHostPort(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(FormatHostPort(*parsed), text);
  }
  EXPECT_EQ(ParseHostPort("[::1]:80")->host, "::1");
}

TEST(HostPort, SaysWhatIsWrong) {
  for (const char* text :
       {"", "9464", ":9464", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:-1", "::1:80", "[]:80"}) {
    EXPECT_FALSE(ParseHostPort(text).ok()) << text;
  }
  EXPECT_EQ(ParseHostPort("x").status().message(),
            "expected HOST:PORT, e.g. 127.0.0.1:9464 or [::1]:9464, found \"x\"");
}

TEST(HostPort, LoopbackAndAny) {
  EXPECT_TRUE(IsLoopbackHost("127.8.0.1"));
  EXPECT_TRUE(IsLoopbackHost("::1"));
  EXPECT_TRUE(IsLoopbackHost("localhost"));
  EXPECT_FALSE(IsLoopbackHost("0.0.0.0"));
  EXPECT_FALSE(IsLoopbackHost("10.127.0.1"));
  EXPECT_TRUE(IsAnyHost("0.0.0.0"));
  EXPECT_TRUE(IsAnyHost("::"));
  EXPECT_FALSE(IsAnyHost("127.0.0.1"));
}

}  // namespace
}  // namespace muster::base
