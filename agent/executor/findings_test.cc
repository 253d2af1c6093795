#include "agent/executor/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::agent {
namespace {

TEST(FindingsTest, CountsKindsAndKeepsTheFirstExample) {
  Findings findings;
  findings.Add("gap", "first");
  findings.Add("gap", "second");
  findings.Add("noise", "x");
  EXPECT_THAT(findings.Texts(), ::testing::ElementsAre("gap: first (2 times)", "noise: x"));
}

TEST(FindingsTest, KindsAreBounded) {
  Findings findings;
  for (int i = 0; i < 1000; ++i) findings.Add(std::to_string(i), "x");
  EXPECT_EQ(findings.Texts().size(), 32u);
}

TEST(BoundedTextTest, CutsBetweenCharactersAndReplacesInvalidBytes) {
  EXPECT_EQ(BoundedText("aé", 2), "a");
  EXPECT_EQ(BoundedText("aé", 3), "aé");
  EXPECT_EQ(BoundedText("a\xff\x80z", 9), "a??z");
  EXPECT_EQ(BoundedText("\xc0\xaf", 9), "??");            // Overlong.
  EXPECT_EQ(BoundedText("\xed\xa0\x80", 9), "???");       // Surrogate.
  EXPECT_EQ(BoundedText("\xf4\x90\x80\x80", 9), "????");  // Beyond U+10FFFF.
  EXPECT_EQ(BoundedText("\xf0\x9f\x98\x80", 9), "\xf0\x9f\x98\x80");
  EXPECT_EQ(BoundedText("\xe2\x82", 9), "??");
}

}  // namespace
}  // namespace muster::agent
