#include "agent/telemetry/tile_readings.h"

#include <gtest/gtest.h>

namespace muster::agent {
namespace {

const ReadingLabels kCard = {"card"};

TEST(TileReadingsTest, TheCardSpeaksForItsTiles) {
  TileReadings readings;
  readings.Value(kTileRank, v1::POWER, kCard, Combine::kSum, 100);
  readings.Value(kTileRank, v1::POWER, kCard, Combine::kSum, 50);
  EXPECT_EQ(readings.Combined().Find(v1::POWER, kCard)->value, 150);
  readings.Value(kCardRank, v1::POWER, kCard, Combine::kSum, 170);
  EXPECT_EQ(readings.Combined().Find(v1::POWER, kCard)->value, 170);
}

TEST(TileReadingsTest, MeanAndMaximum) {
  TileReadings readings;
  for (double value : {0.0, 1.0}) {
    readings.Value(kTileRank, v1::UTILIZATION, {"gpu"}, Combine::kMean, value);
    readings.Value(kTileRank, v1::CLOCK, {"graphics"}, Combine::kMax, value);
  }
  EXPECT_EQ(readings.Combined().Find(v1::UTILIZATION, {"gpu"})->value, 0.5);
  EXPECT_EQ(readings.Combined().Find(v1::CLOCK, {"graphics"})->value, 1);
}

TEST(TileReadingsTest, HalfASumIsNoValueAndAMaximumIs) {
  TileReadings readings;
  for (const auto field : {v1::ENERGY, v1::TEMPERATURE}) {
    readings.Value(kTileRank, field, kCard, field == v1::ENERGY ? Combine::kSum : Combine::kMax, 7);
    readings.Absent(kTileRank, field, kCard, v1::ABSENCE_FAILING);
  }
  EXPECT_EQ(readings.Combined().Find(v1::ENERGY, kCard)->absence, v1::ABSENCE_FAILING);
  EXPECT_FALSE(readings.Combined().HasValue(v1::ENERGY, kCard));
  EXPECT_EQ(readings.Combined().Find(v1::TEMPERATURE, kCard)->value, 7);
}

TEST(TileReadingsTest, TheNextRankAnswersForOneThatDoesNot) {
  TileReadings readings;
  readings.Absent(kCardRank, v1::POWER, kCard, v1::ABSENCE_UNSUPPORTED);
  EXPECT_EQ(readings.Combined().Find(v1::POWER, kCard)->absence, v1::ABSENCE_UNSUPPORTED);
  readings.Value(kTileRank, v1::POWER, kCard, Combine::kSum, 0);
  EXPECT_EQ(readings.Combined().Find(v1::POWER, kCard)->value, 0);
}

}  // namespace
}  // namespace muster::agent
