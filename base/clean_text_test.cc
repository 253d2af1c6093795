#include "base/clean_text.h"

#include <gtest/gtest.h>

namespace muster::base {
namespace {

TEST(CleanTextTest, IsShortUtf8WithoutControlCharacters) {
  EXPECT_EQ(CleanText(" a\tb\r\n"), "ab");
  EXPECT_EQ(CleanText(absl::string_view("a\0b", 3)), "a");
  EXPECT_EQ(CleanText("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(CleanText("\xc0\xaf\xed\xa0\x80\xf5\xe2\x82"), "????????");
  EXPECT_EQ(CleanText("\xc2\x9b"
                      "31m"),
            "31m");
  EXPECT_EQ(CleanText("\xc3\xa9\xc3\xa9", 3), "\xc3\xa9");
}

TEST(CleanTextTest, NumbersAreWhole) {
  EXPECT_EQ(ParseNumber("0x10de", 16), 0x10de);
  EXPECT_EQ(ParseNumber("12"), 12);
  for (const char* bad : {"", "-1", "12 ", "1.5", "99999999999999999999", "0x1"}) EXPECT_FALSE(ParseNumber(bad)) << bad;
}

}  // namespace
}  // namespace muster::base
