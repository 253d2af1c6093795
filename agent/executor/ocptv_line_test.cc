#include "agent/executor/ocptv_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/text.h"

namespace muster::agent {
namespace {

using ::testing::HasSubstr;

std::string Line(std::string_view artifact) {
  return base::Text(R"({"sequenceNumber":3,"timestamp":"2026-11-22T18:00:00Z",)", artifact, "}");
}
std::string Step(std::string_view artifact) {
  return Line(base::Text(R"("testStepArtifact":{"testStepId":"1",)", artifact, "}"));
}
std::string Error(std::string_view line, OcptvMode mode = OcptvMode::kStrict) {
  const auto root = ParseOcptvLine(line, mode);
  return root.ok() ? "" : std::string(root.status().message());
}

TEST(OcptvLineTest, ReadsEachArtifact) {
  for (
      const std::string& line : {
          Line(R"("schemaVersion":{"major":2,"minor":0})"),
          Line(
              R"("testRunArtifact":{"testRunStart":{"name":"a","version":"1","commandLine":"a b","parameters":{"x":null,"y":[1]},
                   "dutInfo":{"dutInfoId":"d","hardwareInfos":[{"hardwareInfoId":"h","name":"gpu","odataId":"GPU-1"}]}}})"),
          Line(R"("testRunArtifact":{"testRunEnd":{"status":"COMPLETE","result":"PASS"}})"),
          Step(R"("testStepStart":{"name":"memory.march"})"),
          Step(R"("measurement":{"name":"t","value":3.5e2,"unit":"W","validators":[{"type":"IN_SET","value":[1,2]}]})"),
          Step(
              R"("measurementSeriesElement":{"index":0,"measurementSeriesId":"s","value":true,"timestamp":"2026-11-22T18:00:00.5+01:00"})"),
          Step(R"("diagnosis":{"verdict":"ok","type":"PASS","subcomponent":{"name":"hbm","type":"ASIC-SUBSYSTEM"}})"),
          Step(R"("extension":{"name":"x","content":{"a":[{},null,"\u00e9\ud83d\ude00"]}})"),
      }) {
    std::string flat = line;
    std::erase(flat, '\n');
    EXPECT_EQ(Error(flat), "") << flat;
  }
  const auto root = ParseOcptvLine(Step(R"("measurement":{"name":"t","value":3.5e2})"), OcptvMode::kStrict);
  EXPECT_EQ(root->test_step_artifact().measurement().value().number_value(), 350);
  EXPECT_EQ(root->sequence_number(), 3);
}

struct Refused {
  std::string line;
  std::string why;
};

TEST(OcptvLineTest, RefusesWhatIsNotOcptv) {
  const Refused table[] = {
      {"", "a JSON value"},
      {"5", "an object for"},
      {"[]", "an object for the document"},
      {Line(R"("testRunArtifact":5)"), "an object for testRunArtifact"},
      {Line(R"("testRunArtifact":{})"), "TestRunArtifact holds 0 artifacts"},
      {Line(R"("x":1)"), "Root has no field \"x\""},
      {R"({"sequenceNumber":3,"schemaVersion":{"major":2,"minor":0}})", "Root lacks timestamp"},
      {Line(R"("schemaVersion":{"major":2})"), "SchemaVersion lacks minor"},
      {Line(R"("schemaVersion":{"major":2,"minor":0},"schemaVersion":{"major":2,"minor":0})"), "there twice"},
      {Line(
           R"("schemaVersion":{"major":2,"minor":0},"testRunArtifact":{"testRunEnd":{"status":"SKIP","result":"PASS"}})"),
       "holds 2 artifacts"},
      {Line(R"("schemaVersion":{"major":"2","minor":0})"), "an integer for major"},
      {Line(R"("schemaVersion":{"major":2.0,"minor":0})"), "an integer for major"},
      {Line(R"("schemaVersion":{"major":2,"minor":null})"), "an integer for minor"},
      {Line(R"("schemaVersion":{"major":2,"minor":99999999999})"), "not OCPTV"},
      {Line(R"("schemaVersion":{"major":2,"minor":0},)"), "a text"},
      {Line(R"("schemaVersion":{'major':2,"minor":0})"), "a text"},
      {Line(R"("schemaVersion":{major:2,"minor":0})"), "a text"},
      {Line(R"("schemaVersion":{"major":2,"minor":0})") + "x", "nothing after"},
      {Line(R"("test_run_artifact":{"testRunEnd":{"status":"SKIP","result":"PASS"}})"), "no field"},
      {Line(R"("testRunArtifact":{"testRunEnd":{"status":"DONE","result":"PASS"}})"), "TestRunEnd.status is \"DONE\""},
      {Step(R"("measurement":{"name":"t","value":1e999})"), "range of a double"},
      {Step(R"("measurement":{"name":"t","value":NaN})"), "a JSON value"},
      {Step(R"("measurement":{"name":"t","value":01})"), "',' or '}'"},
      {Step(R"("measurement":{"name":"t","value":1,"validators":{}})"), "an array for validators"},
      {Step(R"("measurement":{"name":"t","value":1,"unit":null})"), "a text for unit"},
      {Step(R"("diagnosis":{"verdict":"v","type":"PASS","subcomponent":{"name":"x","type":"ASIC_SUBSYSTEM"}})"),
       "Subcomponent.type"},
      {Step("\"log\":{\"severity\":\"INFO\",\"message\":\"\xff\"}"), "valid UTF-8"},
      {Step("\"log\":{\"severity\":\"INFO\",\"message\":\"a\tb\"}"), "control character"},
      {Step(R"("log":{"severity":"INFO","message":"\ud800"})"), "surrogate"},
      {Step(R"("log":{"severity":"INFO","message":"\x41"})"), "an escape"},
      {R"({"sequenceNumber":-1,"timestamp":"2026-11-22T18:00:00Z","schemaVersion":{"major":2,"minor":0}})", "negative"},
      {R"({"sequenceNumber":1,"timestamp":"2026-11-22T18:00:00","schemaVersion":{"major":2,"minor":0}})",
       "with a zone"},
      {R"({"sequenceNumber":1,"timestamp":"infinite-past","schemaVersion":{"major":2,"minor":0}})", "with a zone"},
      {std::string("{\0", 2), "a text"},
  };
  for (const Refused& refused : table) EXPECT_THAT(Error(refused.line), HasSubstr(refused.why)) << refused.line;
}

TEST(OcptvLineTest, BoundsDepth) {
  const auto nested = [](int depth) {
    return Step(
        base::Text(R"("extension":{"name":"x","content":)", std::string(depth, '['), std::string(depth, ']'), "}"));
  };
  EXPECT_EQ(Error(nested(20)), "");
  EXPECT_THAT(Error(nested(40)), HasSubstr("levels"));
  EXPECT_THAT(Error(std::string(1 << 20, '[')), HasSubstr("an object"));
  EXPECT_THAT(Error(Step(R"("extension":{"name":"x","content":)" + std::string(1 << 20, '['))), HasSubstr("levels"));
}

TEST(OcptvLineTest, CompatibilityTakesWhatTheLibrariesPrint) {
  for (
      const std::string& line : {
          Step(
              R"("measurement":{"name":"t","value":1,"unit":null,"validators":null,"subcomponent":null,"metadata":null})"),
          Step(R"("diagnosis":{"verdict":"v","type":"PASS","subcomponent":{"name":"x","type":"ASIC_SUBSYSTEM"}})"),
          Step(R"("diagnosis":{"verdict":"v","type":"PASS","subcomponent":{"name":"x","type":""},"more":{"a":[1]}})"),
          Line(R"("schemaVersion":{"major":2,"minor":0},"testRunArtifact":null)"),
      }) {
    EXPECT_NE(Error(line), "") << line;
    EXPECT_EQ(Error(line, OcptvMode::kCompatible), "") << line;
  }
  EXPECT_NE(Error(Step(R"("measurement":{"name":"t","value":null})"), OcptvMode::kCompatible), "");
  EXPECT_EQ(ParseOcptvTime("1970-01-01T00:00:01.5", OcptvMode::kCompatible), 1500);
  EXPECT_EQ(ParseOcptvTime("1970-01-01T01:00:01+01:00", OcptvMode::kStrict), 1000);
}

// Seeded mutations of good lines: whatever they become, they are read or refused, in both modes.
TEST(OcptvLineTest, SurvivesMutations) {
  std::mt19937 random(20261122);
  const std::string seeds[] = {
      Line(R"("schemaVersion":{"major":2,"minor":0})"),
      Line(
          R"("testRunArtifact":{"testRunStart":{"name":"a","version":"1","commandLine":"","parameters":{"x":[1,{"y":null}]},"dutInfo":{"dutInfoId":"d"}}})"),
      Step(
          R"("measurement":{"name":"t","value":-1.5e-3,"validators":[{"type":"REGEX_MATCH","value":["\u00e9","b"]}]})"),
      Step(R"("extension":{"name":"x","content":{"a":[[[{}]]],"b":"\ud83d\ude00"}})"),
  };
  const std::string_view tokens[] = {"{",    "}",     "[",   "]",    "\"", ",", ":", "null",
                                     "true", "1e999", "\\u", "\xff", "é",  "-", "0", "\\"};
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string line = seeds[random() % std::size(seeds)];
    for (unsigned edits = 1 + random() % 4; edits > 0 && !line.empty(); --edits) {
      const size_t at = random() % line.size();
      switch (random() % 5) {
        case 0:
          line[at] = static_cast<char>(random());
          break;
        case 1:
          line.erase(at, 1 + random() % 8);
          break;
        case 2:
          line.insert(at, tokens[random() % std::size(tokens)]);
          break;
        case 3:
          line.insert(at, line.substr(random() % line.size(), random() % 40));
          break;
        default:
          line.resize(at);
      }
    }
    accepted += Error(line).empty() ? 1 : 0;
    Error(line, OcptvMode::kCompatible);
  }
  EXPECT_GT(accepted, 100);
  EXPECT_LT(accepted, 10000);
}

}  // namespace
}  // namespace muster::agent
