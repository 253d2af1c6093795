#include "base/units.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "gtest/gtest.h"

namespace muster::base {
namespace {

TEST(FormatQuantityTest, ChoosesThePrefix) {
  EXPECT_EQ(FormatQuantity(4.37e12, "B/s"), "4.37 TB/s");
  EXPECT_EQ(FormatQuantity(55.5e9, "B/s"), "55.5 GB/s");
  EXPECT_EQ(FormatQuantity(7.76e14, "FLOP/s"), "776 TFLOP/s");
  EXPECT_EQ(FormatQuantity(12.3e-6, "s"), "12.3 µs");
  EXPECT_EQ(FormatQuantity(1.98e9, "Hz"), "1.98 GHz");
  EXPECT_EQ(FormatQuantity(700, "W"), "700 W");
  EXPECT_EQ(FormatQuantity(-4.37e12, "B/s"), "-4.37 TB/s");
}

TEST(FormatQuantityTest, ReadsPrefixesThatTheAuthorWrote) {
  EXPECT_EQ(FormatQuantity(4370, "GB/s"), "4.37 TB/s");
  EXPECT_EQ(FormatQuantity(776, "TFLOP/s"), "776 TFLOP/s");
  EXPECT_EQ(FormatQuantity(12.3, "us"), "12.3 µs");
  EXPECT_EQ(FormatQuantity(12.3, "µs"), "12.3 µs");
  EXPECT_EQ(FormatQuantity(1500, "ms"), "1.50 s");
  EXPECT_EQ(FormatQuantity(32, "GT/s"), "32.0 GT/s");
  EXPECT_EQ(FormatQuantity(1980, "MHz"), "1.98 GHz");
  EXPECT_EQ(FormatQuantity(141, "GB"), "141 GB");
  EXPECT_EQ(FormatQuantity(2048, "MiB"), "2.00 GiB");
  EXPECT_EQ(FormatQuantity(0.5, "GiB/s"), "512 MiB/s");
}

TEST(FormatQuantityTest, RoundsIntoTheNextPrefix) {
  EXPECT_EQ(FormatQuantity(999.6e9, "B/s"), "1.00 TB/s");
  EXPECT_EQ(FormatQuantity(999.4e9, "B/s"), "999 GB/s");
  EXPECT_EQ(FormatQuantity(9.996, "TB/s"), "10.0 TB/s");
  EXPECT_EQ(FormatQuantity(99.96, "TB/s"), "100 TB/s");
  EXPECT_EQ(FormatQuantity(1023, "GiB"), "1023 GiB");
}

TEST(FormatQuantityTest, KeepsSecondsAsSeconds) { EXPECT_EQ(FormatQuantity(4000, "s"), "4000 s"); }

TEST(FormatQuantityTest, KeepsWholeCountsInFull) {
  EXPECT_EQ(FormatQuantity(123456789, ""), "123456789");
  EXPECT_EQ(FormatQuantity(123456789, "1"), "123456789");
  EXPECT_EQ(FormatQuantity(1234567, "{iterations}"), "1234567 iterations");
  EXPECT_EQ(FormatQuantity(3, "pages"), "3 pages");
  EXPECT_EQ(FormatQuantity(0.98765, ""), "0.9877");
  EXPECT_EQ(FormatQuantity(512, "B"), "512 B");
  EXPECT_EQ(FormatQuantity(0, "B/s"), "0 B/s");
}

TEST(FormatQuantityTest, ShowsPercentAndCelsius) {
  EXPECT_EQ(FormatQuantity(98.76, "%"), "98.8 %");
  EXPECT_EQ(FormatQuantity(45, "Cel"), "45 °C");
}

TEST(FormatQuantityTest, SurvivesWhatNoDeviceMeasures) {
  EXPECT_EQ(FormatQuantity(std::nan(""), "B/s"), "NaN B/s");
  EXPECT_EQ(FormatQuantity(-std::numeric_limits<double>::infinity(), ""), "-inf");
  EXPECT_EQ(FormatQuantity(1e300, "B/s"), "1e+282 EB/s");
  EXPECT_EQ(FormatQuantity(1e-30, "s"), "0.000 ns");
  EXPECT_LE(FormatQuantity(1, std::string(100000, 'x')).size(), 70u);
}

TEST(FormatDurationTest, GrowsWithTheTime) {
  EXPECT_EQ(FormatDuration(0), "0 ms");
  EXPECT_EQ(FormatDuration(999), "999 ms");
  EXPECT_EQ(FormatDuration(12'345), "12.3 s");
  EXPECT_EQ(FormatDuration(59'960), "1 min 00 s");
  EXPECT_EQ(FormatDuration(245'000), "4 min 05 s");
  EXPECT_EQ(FormatDuration(3 * 3'600'000 + 7 * 60'000), "3 h 07 min");
  EXPECT_EQ(FormatDuration(51 * 3'600'000LL), "2 d 03 h");
  EXPECT_EQ(FormatDuration(-5000), "-5.0 s");
  EXPECT_FALSE(FormatDuration(INT64_MIN).empty());
}

TEST(FormatClockTest, ShowsHoursWhenThereAreAny) {
  EXPECT_EQ(FormatClock(7'900), "0:07");
  EXPECT_EQ(FormatClock(754'000), "12:34");
  EXPECT_EQ(FormatClock(11'229'000), "3:07:09");
  EXPECT_EQ(FormatClock(-1), "0:00");
}

TEST(FormatBytesTest, IsBinary) {
  EXPECT_EQ(FormatBytes(512), "512 B");
  EXPECT_EQ(FormatBytes(150754820096), "140 GiB");
}

}  // namespace
}  // namespace muster::base
