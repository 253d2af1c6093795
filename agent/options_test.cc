#include "agent/options.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace muster::agent {
namespace {

std::variant<Options, int> Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "muster-agent");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  auto parsed = ParseOptions(static_cast<int>(argv.size()), argv.data());
  testing::internal::GetCapturedStderr();
  testing::internal::GetCapturedStdout();
  return parsed;
}
Options Good(const std::vector<std::string>& arguments) {
  const auto parsed = Parse(arguments);
  EXPECT_TRUE(std::holds_alternative<Options>(parsed));
  return std::holds_alternative<Options>(parsed) ? std::get<Options>(parsed) : Options{};
}
int ExitOf(const std::vector<std::string>& arguments) {
  const auto parsed = Parse(arguments);
  return std::holds_alternative<int>(parsed) ? std::get<int>(parsed) : -1;
}

TEST(OptionsTest, DefaultsAndValues) {
  const Options options = Good({"--coordinator", "c:7300", "--name", "m1", "--label", "rack=7", "--label", "site=x=y",
                                "--outbox-limit-mib", "64", "--state-dir", "/s", "--suites-dir", "/u"});
  EXPECT_EQ(options.coordinator, "c:7300");
  EXPECT_EQ(options.name, "m1");
  EXPECT_EQ(options.labels.at("rack"), "7");
  EXPECT_EQ(options.labels.at("site"), "x=y");
  EXPECT_EQ(options.outbox_limit_bytes, uint64_t{64} << 20);
  EXPECT_FALSE(options.enroll_only);
  EXPECT_EQ(Good({"--coordinator", "c:1", "--name", "m"}).state_dir, "/var/lib/muster-agent");
}

TEST(OptionsTest, EnrollIsASubcommand) {
  EXPECT_TRUE(Good({"enroll", "--coordinator", "c:1", "--name", "m", "--token", "t"}).enroll_only);
}

TEST(OptionsTest, AFileGivesWhatTheCommandLineDoesNot) {
  const std::string folder = testing::TempDir();
  std::ofstream(folder + "/agent.ini") << "coordinator=c:1\nname=from-file\nlabel=rack=7\n";
  std::ofstream(folder + "/token") << "secret";
  const Options options = Good({"--config", folder + "/agent.ini", "--name", "m", "--token-file", folder + "/token"});
  EXPECT_EQ(options.coordinator, "c:1");
  EXPECT_EQ(options.name, "m");
  EXPECT_EQ(options.labels.at("rack"), "7");
  EXPECT_EQ(options.token, "secret");
}

TEST(OptionsTest, Metrics) {
  const Options plain = Good({"--coordinator", "c:1", "--name", "m"});
  EXPECT_EQ(plain.metrics_listen, "127.0.0.1:9465");
  EXPECT_TRUE(plain.compat.empty());
  const Options options = Good({"--coordinator", "c:1", "--name", "m", "--metrics-listen", "0.0.0.0:0",
                                "--metrics-advertise", "gw:9465", "--compat", "dcgm", "--compat", "xpum"});
  EXPECT_EQ(options.metrics_listen, "0.0.0.0:0");
  EXPECT_EQ(options.metrics_advertise, "gw:9465");
  EXPECT_EQ(options.compat, (std::vector<Compat>{Compat::kDcgm, Compat::kXpum}));
  EXPECT_EQ(Good({"--coordinator", "c:1", "--name", "m", "--metrics-listen", ""}).metrics_listen, "");
}

TEST(OptionsTest, MistakesEndWithTwo) {
  EXPECT_EQ(ExitOf({"--coordinator", "c:1", "--name", "m", "--metrics-listen", "9465"}), 2);
  EXPECT_EQ(ExitOf({"--coordinator", "c:1", "--name", "m", "--compat", "smi"}), 2);
  EXPECT_EQ(ExitOf({}), 2);
  EXPECT_EQ(ExitOf({"--coordinator", "c:1", "--name", "Not A Name"}), 2);
  EXPECT_EQ(ExitOf({"--coordinator", "c:1", "--name", "m", "--label", "nothing"}), 2);
  EXPECT_EQ(ExitOf({"--coordinator", "c:1", "--name", "m", "--token-file", "/nowhere"}), 2);
  EXPECT_EQ(ExitOf({"--coordinator", "c:1", "--name", "m", "--log-level", "loud"}), 2);
  EXPECT_EQ(ExitOf({"--coordinator", "10.0.0.1:1", "--name", "m", "--insecure-loopback"}), 2);
  EXPECT_EQ(ExitOf({"--help"}), 0);
  EXPECT_EQ(ExitOf({"--version"}), 0);
}

}  // namespace
}  // namespace muster::agent
