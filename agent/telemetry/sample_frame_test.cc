#include "agent/telemetry/sample_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

namespace muster::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::DeviceSample Sample(const std::string& address) {
  v1::DeviceSample sample;
  sample.set_pci_address(address);
  v1::Reading& reading = *sample.add_readings();
  reading.set_field(v1::TEMPERATURE);
  reading.add_labels("core");
  reading.set_value(0);
  return sample;
}

std::string Frame(char kind, const std::string& payload) {
  std::string frame(5, '\0');
  for (int i = 0; i < 4; ++i) frame[i] = static_cast<char>(payload.size() >> (8 * i) & 0xFF);
  frame[4] = kind;
  return frame + payload;
}

TEST(SampleFrameTest, TurnsComeThroughInAnyPieces) {
  const std::string bytes = EncodeTurn({Sample("0000:41:00.0"), Sample("0000:42:00.0")}) + EncodeTurn({}) +
                            EncodeTurn({Sample("0000:41:00.0")});
  for (size_t piece = 1; piece < bytes.size(); piece += 7) {
    FrameReader reader;
    std::vector<std::vector<v1::DeviceSample>> turns;
    for (size_t i = 0; i < bytes.size(); i += piece) {
      ASSERT_TRUE(reader.Add(bytes.substr(i, piece)).ok());
      for (auto& turn : reader.TakeTurns()) turns.push_back(std::move(turn));
    }
    ASSERT_THAT(turns, SizeIs(3));
    EXPECT_THAT(turns[0], SizeIs(2));
    EXPECT_THAT(turns[1], IsEmpty());
    EXPECT_EQ(turns[2][0].pci_address(), "0000:41:00.0");
    EXPECT_TRUE(turns[2][0].readings(0).has_value());
  }
}

TEST(SampleFrameTest, EndSaysWhy) {
  FrameReader reader;
  ASSERT_TRUE(reader.Add(EncodeEnd(absl::NotFoundError("found no\nlibrary"))).ok());
  ASSERT_TRUE(reader.end().has_value());
  EXPECT_TRUE(absl::IsNotFound(*reader.end()));
  EXPECT_EQ(reader.end()->message(), "found nolibrary");
  FrameReader odd;
  ASSERT_TRUE(odd.Add(Frame('E', "0 all is well")).ok());
  EXPECT_FALSE(odd.end()->ok());
}

TEST(SampleFrameTest, WhatIsNoFrameIsRefused) {
  const std::pair<std::string, const char*> cases[] = {
      {Frame('X', ""), "no known kind"},
      {Frame('T', "x"), "no known kind"},
      {Frame('S', "\xff\xff"), "not a DeviceSample"},
      {Frame('S', ""), "without a PCI address"},
      {Frame('S', Sample("../../etc").SerializeAsString()), "without a PCI address"},
      {std::string("\xff\xff\xff\xffS"), "a frame of 4294967295 bytes"}};
  for (const auto& [bytes, what] : cases) {
    FrameReader reader;
    EXPECT_THAT(std::string(reader.Add(bytes).message()), HasSubstr(what));
  }
}

TEST(SampleFrameTest, TurnsAreBounded) {
  FrameReader devices;
  absl::Status status;
  for (int i = 0; i < 65 && status.ok(); ++i)
    status = devices.Add(Frame('S', Sample("0000:41:00.0").SerializeAsString()));
  EXPECT_THAT(std::string(status.message()), HasSubstr("more than 64 devices"));

  v1::DeviceSample big = Sample("0000:41:00.0");
  for (int i = 0; i < 2000; ++i) *big.add_readings() = big.readings(0);
  FrameReader bytes;
  status = absl::OkStatus();
  int frames = 0;
  for (; frames < 64 && status.ok(); ++frames) status = bytes.Add(Frame('S', big.SerializeAsString()));
  EXPECT_THAT(std::string(status.message()), HasSubstr("longer than 1 MiB"));
  EXPECT_GT(frames, 10);
}

TEST(SampleFrameTest, GarbledBytesHarmNobody) {
  const std::string bytes =
      EncodeTurn({Sample("0000:41:00.0"), Sample("0000:42:00.0")}) + EncodeEnd(absl::UnknownError("x"));
  std::mt19937 random(1);  // The same each time.
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string garbled = bytes;
    for (unsigned j = random() % 4; j < 4; ++j) garbled[random() % garbled.size()] = static_cast<char>(random());
    FrameReader reader;
    refused += !reader.Add(garbled).ok();
    for (const auto& turn : reader.TakeTurns()) {
      for (const v1::DeviceSample& sample : turn) {
        v1::DeviceSample again = sample;
        EXPECT_TRUE(CleanSample(again) && again.SerializeAsString() == sample.SerializeAsString());
      }
    }
  }
  EXPECT_GT(refused, 1'000);
}

TEST(SampleFrameTest, OldTurnsGiveWay) {
  FrameReader reader;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(reader.Add(EncodeTurn({})).ok());
  EXPECT_THAT(reader.TakeTurns(), SizeIs(4));
}

TEST(SampleFrameTest, SamplesAreCleaned) {
  v1::DeviceSample sample = Sample("00000000:41:00.0");
  sample.set_device_id("forged");
  sample.set_uuid("GPU-\x01" + std::string(500, 'u'));
  sample.set_time_unix_ms(-5);
  const auto add = [&](int field, std::vector<std::string> labels) -> v1::Reading& {
    v1::Reading& reading = *sample.add_readings();
    reading.set_field(static_cast<v1::TelemetryField>(field));
    for (auto& label : labels) reading.add_labels(label);
    return reading;
  };
  add(4711, {}).set_value(1);                                                    // no known field
  add(v1::POWER, {"card", "gpu"}).set_value(1);                                  // too many labels
  add(v1::POWER, {});                                                            // says nothing
  add(v1::POWER, {}).set_absence(static_cast<v1::Absence>(99));                  // no known absence
  add(v1::POWER, {std::string(99, 'x')}).set_value(2);                           // a long label
  add(v1::ENERGY, {"card"}).set_value(std::numeric_limits<double>::infinity());  // no number
  v1::Reading& both = add(v1::CLOCK, {"sm"});
  both.set_value(3);
  both.set_absence(v1::ABSENCE_FAILING);
  ASSERT_TRUE(CleanSample(sample));
  EXPECT_EQ(sample.device_id(), "");
  EXPECT_EQ(sample.pci_address(), "0000:41:00.0");
  EXPECT_EQ(sample.uuid().size(), 96u);
  EXPECT_EQ(sample.time_unix_ms(), 0);
  ASSERT_EQ(sample.readings_size(), 4);
  EXPECT_EQ(sample.readings(1).labels(0), std::string(32, 'x'));
  EXPECT_FALSE(sample.readings(2).has_value());
  EXPECT_EQ(sample.readings(2).absence(), v1::ABSENCE_FAILING);
  EXPECT_EQ(sample.readings(3).absence(), v1::ABSENCE_UNSPECIFIED);
}

}  // namespace
}  // namespace muster::agent
