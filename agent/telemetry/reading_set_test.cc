#include "agent/telemetry/reading_set.h"

#include <gtest/gtest.h>

#include <cmath>

namespace muster::agent {
namespace {

constexpr v1::Absence kAbsences[] = {v1::ABSENCE_UNSUPPORTED, v1::ABSENCE_NOT_PERMITTED, v1::ABSENCE_FAILING};

ReadingSet With(v1::TelemetryField field, std::optional<double> value, v1::Absence absence = v1::ABSENCE_UNSPECIFIED) {
  ReadingSet set;
  if (value) set.Set(field, {}, *value);
  if (!value) set.SetAbsent(field, {}, absence);
  return set;
}

ReadingSet::Entry Merged(ReadingSet first, const ReadingSet& second, v1::TelemetryField field) {
  first.Merge(second);
  return *first.Find(field, {});
}

TEST(ReadingSetTest, AValueBeatsAnAbsence) {
  for (v1::Absence absence : kAbsences) {
    const ReadingSet absent = With(v1::WEDGED, std::nullopt, absence);
    EXPECT_EQ(Merged(With(v1::WEDGED, 0), absent, v1::WEDGED).value, 0);
    EXPECT_EQ(Merged(absent, With(v1::WEDGED, 0), v1::WEDGED).value, 0);
  }
}

TEST(ReadingSetTest, TheFirstSourcesValueBeatsTheSeconds) {
  EXPECT_EQ(Merged(With(v1::MEMORY_SIZE, 1), With(v1::MEMORY_SIZE, 2), v1::MEMORY_SIZE).value, 1);
}

TEST(ReadingSetTest, OfThePcieMaximaTheLowerStays) {
  for (const auto field : {v1::PCIE_LINK_GENERATION_MAX, v1::PCIE_LINK_LANES_MAX}) {
    EXPECT_EQ(Merged(With(field, 4), With(field, 3), field).value, 3);
    EXPECT_EQ(Merged(With(field, 3), With(field, 4), field).value, 3);
  }
}

TEST(ReadingSetTest, OfTwoAbsencesTheOneThatTellsMoreStays) {
  for (v1::Absence a : kAbsences) {
    for (v1::Absence b : kAbsences) {
      const ReadingSet::Entry entry =
          Merged(With(v1::WEDGED, std::nullopt, a), With(v1::WEDGED, std::nullopt, b), v1::WEDGED);
      EXPECT_FALSE(entry.value.has_value());
      EXPECT_EQ(entry.absence, std::max(a, b));
    }
  }
  EXPECT_EQ(WorseAbsence(v1::ABSENCE_UNSUPPORTED, v1::ABSENCE_NOT_PERMITTED), v1::ABSENCE_NOT_PERMITTED);
}

TEST(ReadingSetTest, WhatOnlyOneSourceHasStays) {
  ReadingSet first = With(v1::WEDGED, 1);
  first.Merge(With(v1::MEMORY_SIZE, 5));
  EXPECT_TRUE(first.HasValue(v1::WEDGED, {}));
  EXPECT_TRUE(first.HasValue(v1::MEMORY_SIZE, {}));
  EXPECT_FALSE(first.Has(v1::MEMORY_FREE));
}

TEST(ReadingSetTest, WhatIsNoNumberIsNoValue) {
  ReadingSet set;
  set.Set(v1::POWER, {"card"}, std::nan(""));
  EXPECT_EQ(set.Find(v1::POWER, {"card"})->absence, v1::ABSENCE_FAILING);
  EXPECT_FALSE(set.HasValue(v1::POWER, {"card"}));
  EXPECT_TRUE(set.Has(v1::POWER));
}

TEST(ReadingSetTest, EachReadingHasExactlyOneOfValueAndAbsence) {
  ReadingSet set;
  set.Set(v1::POWER, {"card"}, 0);
  set.SetAbsent(v1::POWER, {"gpu"}, v1::ABSENCE_FAILING);
  set.SetAbsent(v1::POWER, {"card"}, v1::ABSENCE_FAILING);  // Does not take the value away.
  v1::DeviceSample sample;
  set.AppendTo(sample);
  ASSERT_EQ(sample.readings_size(), 2);
  EXPECT_TRUE(sample.readings(0).has_value());
  EXPECT_EQ(sample.readings(0).absence(), v1::ABSENCE_UNSPECIFIED);
  EXPECT_FALSE(sample.readings(1).has_value());
  EXPECT_EQ(sample.readings(1).labels(0), "gpu");
  EXPECT_EQ(sample.readings(1).absence(), v1::ABSENCE_FAILING);
}

}  // namespace
}  // namespace muster::agent
