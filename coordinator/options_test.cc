#include "coordinator/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace muster::coordinator {
namespace {

std::variant<Options, int> Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "muster-coordinator");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseOptions(static_cast<int>(argv.size()), argv.data());
}
Options Parsed(const std::vector<std::string>& arguments) {
  const std::variant<Options, int> parsed = Parse(arguments);
  EXPECT_TRUE(std::holds_alternative<Options>(parsed));
  return std::holds_alternative<Options>(parsed) ? std::get<Options>(parsed) : Options();
}

TEST(Options, ServingIsTheDefault) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"--data-dir", "d"}, {"serve", "--data-dir", "d"}}) {
    const Options options = Parsed(arguments);
    EXPECT_FALSE(options.init);
    EXPECT_EQ(options.server.data_folder, "d");
    EXPECT_EQ(options.server.listen, "0.0.0.0:7443");
    EXPECT_EQ(options.server.http_listen, "127.0.0.1:9464");
  }
}

TEST(Options, EverythingCanBeSet) {
  const Options options = Parsed({"serve", "--data-dir", "d", "--listen", "[::1]:1", "--http-listen", "127.0.0.1:0",
                                  "--plans-dir", "p", "--ready-file", "r", "--lease-duration-ms", "2000",
                                  "--heartbeat-interval-ms", "500", "--keepalive-ms", "1000"});
  EXPECT_EQ(options.server.listen, "[::1]:1");
  EXPECT_EQ(options.server.plans_folder, "p");
  EXPECT_EQ(options.ready_file, "r");
  EXPECT_EQ(options.server.core.lease_duration_ms, 2000);
  EXPECT_EQ(options.server.core.heartbeat_interval_ms, 500);
  EXPECT_EQ(options.server.keepalive_ms, 1000);
}

TEST(Options, InitTakesHosts) {
  const Options options = Parsed({"init", "--data-dir", "d", "--host", "a", "--host", "10.0.0.1"});
  EXPECT_TRUE(options.init);
  EXPECT_EQ(options.hosts, (std::vector<std::string>{"a", "10.0.0.1"}));
}

TEST(Options, PlaintextServesOnLoopbackUnlessToldOtherwise) {
  EXPECT_EQ(Parsed({"--data-dir", "d", "--insecure-loopback"}).server.listen, "127.0.0.1:7443");
}

TEST(Options, MistakesAreUsage) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{},
                                                                     {"serve"},
                                                                     {"serve", "--data-dir", "d", "--nope"},
                                                                     {"--data-dir", "d", "--log-level", "loud"},
                                                                     {"--data-dir", "d", "init", "serve"}}) {
    const std::variant<Options, int> parsed = Parse(arguments);
    ASSERT_TRUE(std::holds_alternative<int>(parsed));
    EXPECT_EQ(std::get<int>(parsed), 2);
  }
}

}  // namespace
}  // namespace muster::coordinator
