#include "base/json.h"

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <gtest/gtest.h>

#include <string>

#include "muster/v1/run.pb.h"

namespace muster::base {
namespace {

using ::testing::HasSubstr;

TEST(Json, RoundTripsInOneLine) {
  v1::JobSpec spec;
  spec.set_run_id("r-1");
  spec.add_cases("a\nb");
  const std::string json = ToJson(spec);
  EXPECT_EQ(json, R"({"runId":"r-1","cases":["a\nb"]})");
  v1::JobSpec read;
  read.set_suite("old");
  ASSERT_TRUE(FromJson(json, UnknownFields::kRefuse, &read).ok());
  EXPECT_EQ(read.SerializeAsString(), spec.SerializeAsString());
  EXPECT_THAT(ToJson(spec, JsonStyle::kIndented), HasSubstr("\n"));
}

TEST(Json, TheSameMapGivesTheSameBytes) {
  v1::JobSpec up, down;
  for (int i = 0; i < 100; ++i) {
    (*up.mutable_parameters())[std::to_string(i)] = "v";
    (*down.mutable_parameters())[std::to_string(99 - i)] = "v";
  }
  EXPECT_EQ(ToJson(up), ToJson(down));
}

TEST(Json, UnknownFieldsAsAsked) {
  v1::JobSpec spec;
  EXPECT_FALSE(FromJson(R"({"nope": 1})", UnknownFields::kRefuse, &spec).ok());
  EXPECT_TRUE(FromJson(R"({"nope": 1, "suite": "s"})", UnknownFields::kIgnore, &spec).ok());
  EXPECT_EQ(spec.suite(), "s");
}

TEST(Json, RefusesGarbageAndDepth) {
  google::protobuf::Value value;
  EXPECT_FALSE(FromJson("{", UnknownFields::kIgnore, &value).ok());
  EXPECT_FALSE(FromJson("", UnknownFields::kIgnore, &value).ok());
  EXPECT_FALSE(FromJson(std::string(100'000, '['), UnknownFields::kIgnore, &value).ok());
  EXPECT_THAT(std::string(FromJson("[1", UnknownFields::kIgnore, &value).message()), HasSubstr("JSON"));
}

TEST(Json, QuotesStrings) { EXPECT_EQ(JsonString("a\"\\\n\x01é"), "\"a\\\"\\\\\\n\\u0001é\""); }

}  // namespace
}  // namespace muster::base
