#include "base/textproto.h"

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <gtest/gtest.h>

#include <string>

#include "base/file.h"
#include "muster/v1/suite.pb.h"

namespace muster::base {
namespace {

using ::testing::HasSubstr;

TEST(TextProto, Reads) {
  v1::SuiteManifest manifest;
  manifest.set_version("old");
  ASSERT_TRUE(ParseTextProto("name: 'driver'\ncases { name: 'a' }", "x", &manifest).ok());
  EXPECT_EQ(manifest.name(), "driver");
  EXPECT_EQ(manifest.version(), "");
  EXPECT_EQ(manifest.cases_size(), 1);
}

TEST(TextProto, SaysWhereItIsWrong) {
  v1::SuiteManifest manifest;
  const absl::Status status = ParseTextProto("name: 'driver'\n  nmae: 'x'\n", "driver/suite.textproto", &manifest);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("driver/suite.textproto:2:"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("nmae"));
}

TEST(TextProto, BoundsDepthAndLength) {
  google::protobuf::Value value;
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "list_value{values{";
  EXPECT_FALSE(ParseTextProto(deep, "x", &value).ok());
  EXPECT_FALSE(ParseTextProto(std::string(kMaxTextProtoBytes + 1, ' '), "x", &value).ok());
}

TEST(TextProto, ReadsFilesAndNamesThem) {
  const std::string path = ::testing::TempDir() + "muster-textproto-test";
  v1::SuiteManifest manifest;
  EXPECT_EQ(ReadTextProto(path + "-none", &manifest).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileAtomic(path, "name: oops").ok());
  EXPECT_THAT(std::string(ReadTextProto(path, &manifest).message()), HasSubstr(path + ":1:7"));
}

}  // namespace
}  // namespace muster::base
