#include "coordinator/report/printable.h"

#include <gtest/gtest.h>

#include <string>

namespace muster::coordinator {
namespace {

const std::string kBad = "\xef\xbf\xbd";

TEST(Printable, KeepsWhatIsText) {
  const std::string text = "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 <&>\t\r\n \xc2\x80";
  EXPECT_EQ(Printable(text), text);
}

TEST(Printable, ReplacesControlsAndWhatIsNotUtf8) {
  EXPECT_EQ(Printable(std::string("a\0b", 3)), "a" + kBad + "b");
  EXPECT_EQ(Printable("\x1b[31m\x7f"), kBad + "[31m" + kBad);
  EXPECT_EQ(Printable("\xff\xfe"), kBad + kBad);
  EXPECT_EQ(Printable("\xc0\xaf"), kBad + kBad) << "overlong";
  EXPECT_EQ(Printable("\xe0\x80\xaf"), kBad + kBad + kBad) << "overlong";
  EXPECT_EQ(Printable("\xed\xa0\x80"), kBad + kBad + kBad) << "surrogate";
  EXPECT_EQ(Printable("\xef\xbf\xbf"), kBad + kBad + kBad) << "U+FFFF";
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), kBad + kBad + kBad + kBad) << "beyond U+10FFFF";
  EXPECT_EQ(Printable("x\xe2\x82"), "x" + kBad + kBad) << "cut off";
}

}  // namespace
}  // namespace muster::coordinator
