#include "agent/executor/validator.h"

#include <gtest/gtest.h>

#include "google/protobuf/util/json_util.h"

namespace muster::agent {
namespace {

google::protobuf::Value FromJson(const std::string& json) {
  google::protobuf::Value value;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &value).ok()) << json;
  return value;
}

struct Row {
  const char* measured;
  const char* type;
  const char* expected;
  Validation::Result result;
};
constexpr auto kHolds = Validation::kHolds;
constexpr auto kViolated = Validation::kViolated;
constexpr auto kUnsupported = Validation::kUnsupported;

class ValidatorTest : public ::testing::TestWithParam<Row> {};

TEST_P(ValidatorTest, Evaluates) {
  v1::ocptv::Validator validator;
  validator.set_type(GetParam().type);
  *validator.mutable_value() = FromJson(GetParam().expected);
  const Validation validation = Validate(FromJson(GetParam().measured), validator);
  EXPECT_EQ(validation.result, GetParam().result)
      << GetParam().measured << " " << GetParam().type << " " << GetParam().expected << ": " << validation.text;
  EXPECT_EQ(validation.text.empty(), validation.result == kHolds);
}

INSTANTIATE_TEST_SUITE_P(Table, ValidatorTest,
                         ::testing::ValuesIn(std::vector<Row>{
                             {"1", "EQUAL", "1.0", kHolds},
                             {"1", "EQUAL", "2", kViolated},
                             {"\"a\"", "EQUAL", "\"a\"", kHolds},
                             {"true", "EQUAL", "true", kHolds},
                             {"true", "EQUAL", "false", kViolated},
                             {"1", "EQUAL", "\"1\"", kUnsupported},
                             {"true", "EQUAL", "1", kUnsupported},
                             {"[1]", "EQUAL", "[1]", kUnsupported},
                             {"null", "EQUAL", "null", kUnsupported},
                             {"1", "NOT_EQUAL", "2", kHolds},
                             {"1", "NOT_EQUAL", "1", kViolated},
                             {"1", "NOT_EQUAL", "\"2\"", kUnsupported},
                             {"1", "LESS_THAN", "2", kHolds},
                             {"2", "LESS_THAN", "2", kViolated},
                             {"2", "LESS_THAN_OR_EQUAL", "2", kHolds},
                             {"3", "LESS_THAN_OR_EQUAL", "2", kViolated},
                             {"3", "GREATER_THAN", "2", kHolds},
                             {"2", "GREATER_THAN", "2", kViolated},
                             {"2", "GREATER_THAN_OR_EQUAL", "2", kHolds},
                             {"1", "GREATER_THAN_OR_EQUAL", "2", kViolated},
                             {"\"1\"", "LESS_THAN", "\"2\"", kUnsupported},
                             {"false", "LESS_THAN", "true", kUnsupported},
                             {"1", "LESS_THAN", "[2]", kUnsupported},
                             {"\"abc\"", "REGEX_MATCH", "\"b\"", kHolds},
                             {"\"abc\"", "REGEX_MATCH", "\"^b\"", kViolated},
                             {"\"abc\"", "REGEX_MATCH", "[\"x\", \"c$\"]", kHolds},
                             {"\"abc\"", "REGEX_MATCH", "[\"x\", \"y\"]", kViolated},
                             {"\"abc\"", "REGEX_MATCH", "[]", kUnsupported},
                             {"\"abc\"", "REGEX_MATCH", "\"(\"", kUnsupported},
                             {"\"abc\"", "REGEX_MATCH", "[\"abc\", 5]", kUnsupported},
                             {"5", "REGEX_MATCH", "\"5\"", kUnsupported},
                             {"\"abc\"", "REGEX_NO_MATCH", "\"b\"", kViolated},
                             {"\"abc\"", "REGEX_NO_MATCH", "[\"x\", \"y\"]", kHolds},
                             {"\"abc\"", "REGEX_NO_MATCH", "[\"x\", \"b\"]", kViolated},
                             {"1", "IN_SET", "[1, 2]", kHolds},
                             {"3", "IN_SET", "[1, 2]", kViolated},
                             {"\"a\"", "IN_SET", "[\"a\"]", kHolds},
                             {"3", "IN_SET", "[]", kViolated},
                             {"1", "IN_SET", "[1, \"2\"]", kUnsupported},
                             {"1", "IN_SET", "1", kUnsupported},
                             {"true", "IN_SET", "[true]", kUnsupported},
                             {"3", "NOT_IN_SET", "[1, 2]", kHolds},
                             {"1", "NOT_IN_SET", "[1, 2]", kViolated},
                             {"1", "SOMETHING", "1", kUnsupported},
                         }));

TEST(ValidatorTextTest, SaysWhatWasMeasuredAndExpected) {
  v1::ocptv::Validator validator;
  validator.set_type("LESS_THAN");
  *validator.mutable_value() = FromJson("3");
  EXPECT_EQ(Validate(FromJson("3.5"), validator).text, "3.5 LESS_THAN 3");
}

}  // namespace
}  // namespace muster::agent
