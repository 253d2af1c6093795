#include "coordinator/fleet/quarantine_table.h"

#include <string>

#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

v1::Quarantine Make(const std::string& machine, const std::string& device, const std::string& reason, int64_t since) {
  v1::Quarantine quarantine;
  quarantine.set_machine(machine);
  quarantine.set_device_id(device);
  quarantine.set_reason(reason);
  quarantine.set_author("ann");
  quarantine.set_since_unix_ms(since);
  return quarantine;
}

TEST(QuarantineTable, AMachineComesBeforeItsDevices) {
  QuarantineTable table({Make("m1", "g1", "hot", 1), Make("m2", "", "moved", 2)});
  table.Set(Make("m1", "", "all of it", 3));
  ASSERT_EQ(table.Of("m1").size(), 2u);
  EXPECT_EQ(table.Of("m1")[0].reason(), "all of it");
  EXPECT_EQ(table.Of("m1")[1].reason(), "hot");
  EXPECT_TRUE(table.Of("m3").empty());
}

TEST(QuarantineTable, ANewReasonKeepsTheBeginning) {
  QuarantineTable table({Make("m1", "g1", "hot", 1)});
  v1::Quarantine again = Make("m1", "g1", "hotter", 9);
  again.set_author("bob");
  const v1::Quarantine set = table.Set(again);
  EXPECT_EQ(set.since_unix_ms(), 1);
  EXPECT_EQ(set.reason(), "hotter");
  EXPECT_EQ(set.author(), "bob");
  EXPECT_EQ(table.Of("m1").size(), 1u);
}

TEST(QuarantineTable, WhatIsReleasedIsGone) {
  QuarantineTable table({Make("m1", "g1", "hot", 1), Make("m1", "", "all", 1)});
  EXPECT_EQ(table.Release("m1", "")->reason(), "all");
  EXPECT_FALSE(table.Release("m1", "").has_value());
  EXPECT_FALSE(table.Release("m2", "g1").has_value());
  EXPECT_EQ(table.Of("m1").size(), 1u) << "its device's quarantine is another";
}

TEST(QuarantineTable, ChangesAreTakenInTheirOrder) {
  QuarantineTable table({});
  table.Set(Make("m1", "", "a", 1));
  table.Release("m1", "");
  table.Set(Make("m1", "", "b", 2));
  const std::vector<QuarantineRow> rows = table.TakeChanges();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_TRUE(rows[1].released);
  EXPECT_EQ(rows[2].quarantine.reason(), "b");
  EXPECT_EQ(rows[2].quarantine.since_unix_ms(), 2) << "it is a new one";
  EXPECT_TRUE(table.TakeChanges().empty());
}

}  // namespace
}  // namespace muster::coordinator
