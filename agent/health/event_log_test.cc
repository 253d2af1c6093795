#include "agent/health/event_log.h"

#include "gtest/gtest.h"

namespace muster::agent {
namespace {

v1::HealthEvent Event(const std::string& code, const std::string& device, int64_t at_ms) {
  v1::HealthEvent event;
  event.set_code(code);
  event.set_device_id(device);
  event.set_severity(v1::EVENT_SEVERITY_WARNING);
  event.set_time_unix_ms(at_ms);
  return event;
}

TEST(EventLogTest, IdenticalEventsInARowAreOneCounted) {
  EventLog log;
  log.Add(Event("a", "g0", 1'000));
  log.Add(Event("a", "g1", 1'500));
  log.Add(Event("a", "g0", 2'000));
  log.Add(Event("a", "g0", 2'000 + EventLog::kSameWithinMs));  // A minute later it is another.
  ASSERT_EQ(log.events().size(), 3u);
  EXPECT_EQ(log.events()[0].count(), 2u);
  EXPECT_EQ(log.events()[0].time_unix_ms(), 1'000);
  EXPECT_EQ(log.events()[0].last_unix_ms(), 2'000);
  EXPECT_EQ(log.events()[0].sequence(), 1u);
  EXPECT_EQ(log.events()[2].sequence(), 3u);
  const auto counts = log.Counts();
  ASSERT_EQ(counts.size(), 2u);
  EXPECT_EQ(counts[0].device_id, "g0");
  EXPECT_EQ(counts[0].count, 3u);
  EXPECT_EQ(counts[1].count, 1u);
}

TEST(EventLogTest, IsBounded) {
  EventLog log;
  for (int i = 0; i < 5'000; ++i) log.Add(Event("code." + std::to_string(i), "g", i));
  EXPECT_EQ(log.events().size(), EventLog::kMaxEvents);
  EXPECT_EQ(log.events().back().code(), "code.4999");
  EXPECT_EQ(log.events().back().sequence(), 5'000u);
  EXPECT_EQ(log.Counts().size(), EventLog::kMaxCounts);
  v1::HealthEvent long_one = Event("long", "g", 1);
  long_one.set_detail(std::string(5'000, 'x'));
  log.Add(long_one);
  EXPECT_EQ(log.events().back().detail().size(), 1'024u);
}

}  // namespace
}  // namespace muster::agent
