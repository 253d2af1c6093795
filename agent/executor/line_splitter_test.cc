#include "agent/executor/line_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/text.h"

namespace muster::agent {
namespace {

std::vector<std::string> Split(size_t limit, const std::vector<std::string>& pieces) {
  LineSplitter splitter(limit);
  std::vector<std::string> lines;
  const auto sink = [&lines](const LineSplitter::Line& line) {
    lines.push_back(base::Text(line.text, line.terminated ? "" : "<end"));
    if (line.cut_bytes > 0) lines.back() += base::Text("+", line.cut_bytes);
  };
  for (const std::string& piece : pieces) splitter.Take(piece, sink);
  splitter.End(sink);
  return lines;
}

using ::testing::ElementsAre;

TEST(LineSplitterTest, JoinsPieces) {
  EXPECT_THAT(Split(10, {"a\nb", "c\n", "\n", "d"}), ElementsAre("a", "bc", "", "d<end"));
  EXPECT_THAT(Split(10, {"a", "\n"}), ElementsAre("a"));
}

TEST(LineSplitterTest, CutsLongLinesAndCounts) {
  EXPECT_THAT(Split(4, {"abcdef", "gh\nok\n"}), ElementsAre("abcd+4", "ok"));
  EXPECT_THAT(Split(4, {"abcde\nok\n"}), ElementsAre("abcd+1", "ok"));
  EXPECT_THAT(Split(4, {"abcd\n"}), ElementsAre("abcd"));
  EXPECT_THAT(Split(4, {"abcdef"}), ElementsAre("abcd<end+2"));
}

}  // namespace
}  // namespace muster::agent
