// The self-test of GoogleTest results: an ordinary GoogleTest program that knows nothing of Muster.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

TEST(Selftest, Passes) {}
TEST(Selftest, IsSkipped) { GTEST_SKIP() << "needs what no machine has"; }
TEST(Selftest, Fails) { EXPECT_EQ(1, 2) << "on purpose"; }
TEST(Selftest, Crashes) { raise(SIGSEGV); }
TEST(Selftest, Hangs) {
  while (true) pause();
}
