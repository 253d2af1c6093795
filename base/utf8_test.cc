#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace muster::base {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";

TEST(ValidUtf8, KeepsWhatIsValid) {
  const std::string text = "a \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \x7F";
  EXPECT_EQ(ValidUtf8(text), text);
  EXPECT_EQ(ValidUtf8(""), "");
  EXPECT_EQ(ValidUtf8(std::string_view("\0x", 2)), std::string("\0x", 2));
}

TEST(ValidUtf8, ReplacesEachByteThatIsNot) {
  EXPECT_EQ(ValidUtf8("a\xFFz"), std::string("a") + kReplacement + "z");
  EXPECT_EQ(ValidUtf8("\x80"), kReplacement);
}

TEST(Utf8SequenceLength, RefusesOverlongSurrogateBeyondAndCutOff) {
  EXPECT_EQ(Utf8SequenceLength("\xC0\xAF"), 0u);
  EXPECT_EQ(Utf8SequenceLength("\xE0\x80\xAF"), 0u);
  EXPECT_EQ(Utf8SequenceLength("\xF0\x80\x80\xAF"), 0u);
  EXPECT_EQ(Utf8SequenceLength("\xED\xA0\x80"), 0u);
  EXPECT_EQ(Utf8SequenceLength("\xF4\x90\x80\x80"), 0u);
  EXPECT_EQ(Utf8SequenceLength("\xF5\x80\x80\x80"), 0u);
  EXPECT_EQ(Utf8SequenceLength("\xE2\x82"), 0u);
  EXPECT_EQ(Utf8SequenceLength("\xE2\x28\xA1"), 0u);
  EXPECT_EQ(Utf8SequenceLength("\xED\x9F\xBF"), 3u);
  EXPECT_EQ(Utf8SequenceLength("\xF4\x8F\xBF\xBF"), 4u);
}

}  // namespace
}  // namespace muster::base
