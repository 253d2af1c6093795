#include "base/selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "muster/v1/fleet.pb.h"

namespace muster::base {
namespace {

using ::testing::HasSubstr;

const std::map<std::string, std::string> kLabels = {
    {"vendor", "nvidia"}, {"model", "NVIDIA H200"}, {"memory_gib", "141"},          {"site/rack", "r-12"},
    {"simulated", ""},    {"driver", "560.35.03"},  {"quoted", "it's \"so\", yes"}, {"tiny", "0.5"},
};

struct Row {
  const char* selector;
  bool matches;
};

class SelectorTable : public ::testing::TestWithParam<Row> {};

TEST_P(SelectorTable, MatchesAsExpected) {
  const absl::StatusOr<Selector> selector = Selector::Parse(GetParam().selector);
  ASSERT_TRUE(selector.ok()) << selector.status();
  EXPECT_EQ(selector->Matches(kLabels), GetParam().matches) << GetParam().selector;
  EXPECT_EQ(selector->Explain(kLabels).empty(), GetParam().matches);
}

INSTANTIATE_TEST_SUITE_P(Equality, SelectorTable,
                         ::testing::Values(Row{"", true}, Row{"  ", true}, Row{"vendor=nvidia", true},
                                           Row{"vendor == nvidia", true}, Row{"vendor=intel", false},
                                           Row{"vendor!=intel", true}, Row{"vendor!=nvidia", false},
                                           Row{"absent=x", false}, Row{"absent=", false}, Row{"absent!=x", true},
                                           Row{"simulated=", true}, Row{"site/rack=r-12", true},
                                           Row{"model='NVIDIA H200'", true}, Row{"model=\"NVIDIA H200\"", true},
                                           Row{"quoted='it\\'s \"so\", yes'", true}));

INSTANTIATE_TEST_SUITE_P(Sets, SelectorTable,
                         ::testing::Values(Row{"vendor in (intel, nvidia)", true}, Row{"vendor in (intel)", false},
                                           Row{"vendor notin (intel,amd)", true}, Row{"vendor notin (nvidia)", false},
                                           Row{"absent in (a)", false}, Row{"absent notin (a)", true},
                                           Row{"model in (x, 'NVIDIA H200')", true}, Row{"vendor in(nvidia)", true}));

INSTANTIATE_TEST_SUITE_P(Existence, SelectorTable,
                         ::testing::Values(Row{"simulated", true}, Row{"!simulated", false}, Row{"absent", false},
                                           Row{"!absent", true}, Row{"! absent", true}, Row{"inside", false},
                                           Row{"!in", true}));

INSTANTIATE_TEST_SUITE_P(Numbers, SelectorTable,
                         ::testing::Values(Row{"memory_gib>=141", true}, Row{"memory_gib>141", false},
                                           Row{"memory_gib<=141", true}, Row{"memory_gib < 200", true},
                                           Row{"memory_gib>99", true}, Row{"driver>1", false}, Row{"driver<=1", false},
                                           Row{"absent<1", false}, Row{"simulated<1", false}, Row{"tiny<1e0", true},
                                           Row{"tiny>-1", true}));

INSTANTIATE_TEST_SUITE_P(Patterns, SelectorTable,
                         ::testing::Values(Row{"model=~NVIDIA H.*", true}, Row{"model=~H200", false},
                                           Row{"model =~ .*H200 , vendor=nvidia", true}, Row{"model!~.*H200", false},
                                           Row{"model!~H200", true}, Row{"absent=~.*", false}, Row{"absent!~.*", true},
                                           Row{"driver=~'\\d{1,3}\\..*'", true}, Row{"simulated=~", true}));

INSTANTIATE_TEST_SUITE_P(Joined, SelectorTable,
                         ::testing::Values(Row{"vendor=nvidia,memory_gib>=16", true},
                                           Row{"vendor=nvidia,memory_gib>=160", false},
                                           Row{" vendor = nvidia , !absent , simulated ", true}));

struct BadRow {
  const char* selector;
  const char* message;
};
class SelectorErrors : public ::testing::TestWithParam<BadRow> {};

TEST_P(SelectorErrors, ShowThePlace) {
  const absl::Status status = Selector::Parse(GetParam().selector).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << GetParam().selector;
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(All, SelectorErrors,
                         ::testing::Values(BadRow{"vendor=nvidia memory", "expected a comma between clauses"},
                                           BadRow{"vendor=nvidia memory", "\"memory\" at character 15"},
                                           BadRow{"a,", "the end at character 3"}, BadRow{",a", "expected a label"},
                                           BadRow{"a b", "expected an operator"}, BadRow{"=x", "expected a label"},
                                           BadRow{"a in b", "\"(\" and values, found \"b\" at character 6"},
                                           BadRow{"a in (b", "\",\" or \")\""},
                                           BadRow{"a>=big", "a number, found \"big\" at character 4"},
                                           BadRow{"a>", "a number, found the end"}, BadRow{"a>nan", "a number"},
                                           BadRow{"a=~(", "missing )"}, BadRow{"a='x", "closing quote"},
                                           BadRow{"!", "expected a label"}, BadRow{"a==b==c", "expected a comma"},
                                           BadRow{"a=b\n\x1bz", "\\x1b"}, BadRow{"-a", "expected a label"},
                                           BadRow{"!a=b", "expected a comma"}));

TEST(Selector, IsBounded) {
  EXPECT_FALSE(Selector::Parse(std::string(Selector::kMaxLength + 1, 'a')).ok());
  std::string clauses = "a";
  for (size_t i = 1; i < Selector::kMaxClauses; ++i) clauses += ",a";
  EXPECT_TRUE(Selector::Parse(clauses).ok());
  EXPECT_FALSE(Selector::Parse(clauses + ",a").ok());
  std::string values = "a in (v";
  for (size_t i = 0; i < Selector::kMaxValues; ++i) values += ",v";
  EXPECT_FALSE(Selector::Parse(values + ")").ok());
  EXPECT_FALSE(Selector::Parse("a=~((((((x{1000}){1000}){1000}){1000})").ok());
}

TEST(Selector, ExplainsTheFirstClauseThatFails) {
  const Selector selector = Selector::Parse("vendor=nvidia, memory_gib >= 160 ,absent").value();
  EXPECT_EQ(selector.Explain(kLabels), "memory_gib >= 160: is 141");
  EXPECT_EQ(Selector::Parse("absent>3")->Explain(kLabels), "absent>3: there is no such label");
}

TEST(Selector, TakesProtobufMapsAndTheFirstMapCounts) {
  v1::Machine machine;
  (*machine.mutable_labels())["site"] = "a";
  (*machine.mutable_labels())["vendor"] = "none";
  v1::Device device;
  (*device.mutable_labels())["vendor"] = "intel";
  const Selector selector = Selector::Parse("site=a,vendor=intel").value();
  EXPECT_TRUE(selector.Matches(device.labels(), machine.labels()));
  EXPECT_FALSE(selector.Matches(machine.labels(), device.labels()));
  EXPECT_EQ(selector.Explain(machine.labels()), "vendor=intel: is none");
}

TEST(Selector, IsAValue) {
  Selector copy;
  EXPECT_TRUE(copy.empty());
  EXPECT_TRUE(copy.Matches(kLabels));
  {
    const Selector selector = Selector::Parse("model=~.*H200").value();
    copy = selector;
  }
  EXPECT_TRUE(copy.Matches(kLabels));
  EXPECT_EQ(copy.text(), "model=~.*H200");
}

// Whatever arrives, the parser ends with a selector or an error.
TEST(Selector, TakesAnyText) {
  std::mt19937 random(1);
  const std::string alphabet = "ab=!<>~(),\"'\\ in.*[{\n\x80";
  int parsed = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (int length = static_cast<int>(random() % 16); length > 0; --length)
      text += alphabet[random() % alphabet.size()];
    const absl::StatusOr<Selector> selector = Selector::Parse(text);
    if (!selector.ok()) continue;
    ++parsed;
    selector->Matches(kLabels);
  }
  EXPECT_GT(parsed, 100);
}

TEST(SelectorTest, WhatIsNotKnownIsNoReasonAgainst) {
  const std::map<std::string, std::string> dead = {{"vendor", "nvidia"}};
  EXPECT_TRUE(Selector::Parse("vendor=nvidia,memory_gib>=16")->CouldMatch(dead));
  EXPECT_FALSE(Selector::Parse("vendor=intel,memory_gib>=16")->CouldMatch(dead));
  EXPECT_FALSE(Selector::Parse("vendor=nvidia,memory_gib>=16")->Matches(dead));
}

}  // namespace
}  // namespace muster::base
