#include "agent/executor/ocptv_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/text.h"

namespace muster::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Number(int number, std::string_view artifact) {
  return base::Text(R"({"sequenceNumber":)", number, R"(,"timestamp":"2026-11-22T18:00:00Z",)", artifact, "}\n");
}
std::string Schema(int number, int major = 2) {
  return Number(number, base::Text(R"("schemaVersion":{"major":)", major, R"(,"minor":0})"));
}
std::string Log(int number) { return Number(number, R"("testRunArtifact":{"log":{"severity":"INFO","message":"m"}})"); }

// What came out: "#3" an artifact, "~text" stray, "!kind" a fault, "?kind" a note.
class Recorder : public OcptvReader::Sink {
 public:
  void OnArtifact(const v1::ocptv::Root& root) override { seen.push_back(base::Text("#", root.sequence_number())); }
  void OnStray(std::string_view line) override { seen.push_back(base::Text("~", line.size())); }
  void OnFault(std::string_view kind, std::string_view) override { seen.push_back(base::Text("!", kind)); }
  void OnNote(std::string_view kind, std::string_view) override { seen.push_back(base::Text("?", kind)); }
  std::vector<std::string> seen;
};

std::vector<std::string> Read(std::string_view text, OcptvMode mode = OcptvMode::kStrict, size_t step = 7) {
  Recorder recorder;
  OcptvReader reader(mode, &recorder);
  for (size_t at = 0; at < text.size(); at += step) reader.Take(text.substr(at, step));
  reader.End();
  return recorder.seen;
}

TEST(OcptvReaderTest, PassesArtifactsOn) {
  EXPECT_THAT(Read(Schema(0) + Log(1) + "\r\n" + Log(2)), ElementsAre("#1", "#2"));
  EXPECT_THAT(Read(Schema(7) + Log(8)), ElementsAre("#8"));
}

TEST(OcptvReaderTest, StrayLinesAreNoted) {
  EXPECT_THAT(Read(Schema(0) + "hello\n" + Log(1)), ElementsAre("?stray-output", "~5", "#1"));
  EXPECT_THAT(Read(Schema(0) + std::string("a\0b\n", 4)), ElementsAre("?stray-output", "~3"));
}

TEST(OcptvReaderTest, WhatLooksLikeAnArtifactAndIsNoneIsAFault) {
  EXPECT_THAT(Read(Schema(0) + "{\"sequenceNumber\":\n" + Log(1)), ElementsAre("!malformed-line", "~18", "#1"));
  EXPECT_THAT(Read(Schema(0) + "{\"sequ"), ElementsAre("!half-line", "~6"));
  std::string open = Log(1);
  open.pop_back();
  EXPECT_THAT(Read(Schema(0) + open), ElementsAre("?no-final-newline", "#1"));
}

TEST(OcptvReaderTest, LongLinesAreCut) {
  const std::string long_text(3 * kMaxOcptvLineBytes, 'x');
  EXPECT_THAT(Read(Schema(0) + long_text + "\n" + Log(1), OcptvMode::kStrict, 65536),
              ElementsAre("?stray-output", "~1048576", "#1"));
  EXPECT_THAT(Read(Schema(0) + "{" + long_text + "\n" + Log(1), OcptvMode::kStrict, 65536),
              ElementsAre("!line-too-long", "#1"));
}

TEST(OcptvReaderTest, SequenceIsDense) {
  EXPECT_THAT(Read(Schema(0) + Log(1) + Log(3) + Log(4)), ElementsAre("#1", "!sequence-gap", "#3", "#4"));
  EXPECT_THAT(Read(Schema(0) + Log(1) + Log(1) + Log(2)), ElementsAre("#1", "!duplicate-number", "#2"));
}

TEST(OcptvReaderTest, SchemaVersionComesFirstAndOnce) {
  EXPECT_THAT(Read(Log(0) + Schema(1) + Log(2)), ElementsAre("!no-schema-version"));
  EXPECT_THAT(Read(Schema(0, 1) + Log(1)), ElementsAre("!schema-version"));
  EXPECT_THAT(Read(Schema(0) + Schema(1) + Log(2)), ElementsAre("!second-schema-version", "#2"));
}

TEST(OcptvReaderTest, CompatibilityReorders) {
  const auto mode = OcptvMode::kCompatible;
  EXPECT_THAT(Read(Schema(0) + Log(2) + Log(1) + Log(3), mode), ElementsAre("#1", "#2", "#3"));
  EXPECT_THAT(Read(Schema(0) + Log(2) + Log(3), mode), ElementsAre("!sequence-gap", "#2", "#3"));
  EXPECT_THAT(Read(Schema(0) + Log(1) + Log(1), mode), ElementsAre("#1", "!duplicate-number"));
  EXPECT_THAT(Read(Schema(0) + Log(1) + Schema(0) + Log(1), mode), ElementsAre("#1", "#1"));
  std::string many = Schema(0);
  for (int i = 2; i < 70; ++i) many += Log(i);
  EXPECT_EQ(Read(many, mode).size(), 1u + 68);
  EXPECT_EQ(Read(many, mode)[0], "!sequence-gap");
}

// Seeded mutations of a stream: never a crash, always bounded output.
TEST(OcptvReaderTest, SurvivesMutatedStreams) {
  std::mt19937 random(5);
  std::string good = Schema(0);
  for (int i = 1; i < 10; ++i) good += Log(i);
  for (int round = 0; round < 2000; ++round) {
    std::string text = good;
    for (int edits = 0; edits < 10; ++edits) text[random() % text.size()] = static_cast<char>(random());
    const auto mode = round % 2 == 0 ? OcptvMode::kStrict : OcptvMode::kCompatible;
    EXPECT_LE(Read(text, mode, 1 + random() % 50).size(), 60u);
  }
}

}  // namespace
}  // namespace muster::agent
