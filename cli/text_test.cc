#include "cli/text.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::cli {
namespace {

using ::testing::ElementsAre;

TEST(SanitizeTest, KeepsWhatCanBePrinted) { EXPECT_EQ(Sanitize("12.3 µs – “naïve” 測試"), "12.3 µs – “naïve” 測試"); }

TEST(SanitizeTest, DisarmsControls) {
  EXPECT_EQ(Sanitize("a\x1b[31mred"), "a\\x1b[31mred");
  EXPECT_EQ(Sanitize("two\nlines\tand a tab\r"), "two\\nlines and a tab\\x0d");
  EXPECT_EQ(Sanitize(std::string("nul\0!", 5)), "nul\\x00!");
  EXPECT_EQ(Sanitize("\xc2\x9b"
                     "2J"),
            "\\x9b2J")
      << "a C1 control moves the cursor too";
  EXPECT_EQ(Sanitize("\u202egnp.exe"), "\\u202egnp.exe") << "turns the reading direction";
}

TEST(SanitizeTest, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(Sanitize("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(Sanitize("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(Sanitize("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
  EXPECT_EQ(Sanitize("cut \xe6\xb8"), "cut \\xe6\\xb8");
}

TEST(SanitizeTest, IsBounded) {
  EXPECT_EQ(Sanitize(std::string(5000, 'x'), 10), "xxxxxxxxxx…");
  EXPECT_EQ(Sanitize("測試測試", 4), "測…") << "cut between characters";
}

TEST(SanitizeLogTest, KeepsLines) { EXPECT_EQ(SanitizeLog("one\r\ntwo\t\x1b[2J\n"), "one\ntwo\t\\x1b[2J\n"); }

TEST(DisplayWidthTest, CountsColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("µs"), 2u);
  EXPECT_EQ(DisplayWidth("測試"), 4u);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1u) << "a combining accent";
  EXPECT_EQ(DisplayWidth("🚀"), 2u);
  EXPECT_EQ(DisplayWidth("✓✗█░"), 4u);
}

TEST(TruncateTest, CutsAtColumns) {
  EXPECT_EQ(Truncate("abcdef", 6), "abcdef");
  EXPECT_EQ(Truncate("abcdef", 5), "abcd…");
  EXPECT_EQ(Truncate("測試測試", 6), "測試…") << "half a wide character is none";
  EXPECT_EQ(Truncate("abc", 1), "…");
  EXPECT_EQ(Truncate("abc", 0), "");
}

TEST(FitTest, PadsAndCuts) {
  EXPECT_EQ(FitLeft("ab", 4), "ab  ");
  EXPECT_EQ(FitRight("ab", 4), "  ab");
  EXPECT_EQ(FitLeft("測試測", 4), "測… ");
  EXPECT_EQ(FitRight("abcdef", 4), "abc…");
}

TEST(WrapTest, BreaksAtSpaces) {
  EXPECT_THAT(Wrap("one two three", 8), ElementsAre("one two", "three"));
  EXPECT_THAT(Wrap("unbreakable", 4), ElementsAre("unbr", "eaka", "ble"));
  EXPECT_THAT(Wrap("", 10), ElementsAre(""));
  EXPECT_THAT(Wrap("exactly!", 8), ElementsAre("exactly!"));
}

}  // namespace
}  // namespace muster::cli
