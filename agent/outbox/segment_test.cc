#include "agent/outbox/segment.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/file_system_fake.h"

namespace muster::agent {
namespace {

class SegmentTest : public testing::Test {
 protected:
  void Write(const std::string& data) {
    auto file = files_.OpenAppend("d/s");
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(data).ok());
  }
  std::vector<std::string> ScanAll(uint64_t offset = 0) {
    SegmentScanner scanner(files_, "d/s", offset);
    SegmentScanner::Record record;
    std::vector<std::string> payloads;
    while (scanner.Next(record)) payloads.emplace_back(record.payload);
    end_offset_ = scanner.offset();
    damaged_bytes_ = scanner.damaged_bytes();
    return payloads;
  }

  base::FakeFileSystem files_{[] { return 0; }};
  uint64_t end_offset_ = 0;
  uint64_t damaged_bytes_ = 0;
};

std::string Records(const std::vector<std::string>& payloads) {
  std::string data;
  for (const std::string& payload : payloads) AppendRecord(RecordType::kEvent, payload, data);
  return data;
}

TEST_F(SegmentTest, RecordsComeBack) {
  const std::vector<std::string> payloads = {"one", "", std::string(200'000, 'x'), "last"};
  Write(Records(payloads));
  EXPECT_EQ(ScanAll(), payloads);
  EXPECT_EQ(end_offset_, files_.used_bytes());
  EXPECT_EQ(damaged_bytes_, 0u);
}

TEST_F(SegmentTest, AScanGoesOnFromAnOffset) {
  Write(Records({"one"}));
  ScanAll();
  const uint64_t offset = end_offset_;
  Write(Records({"two"}));
  EXPECT_EQ(ScanAll(offset), std::vector<std::string>({"two"}));
}

TEST_F(SegmentTest, EveryTornTailIsLeftOut) {
  const std::string whole = Records({"one", "two"});
  const std::string torn = Records({"three"});
  for (size_t kept = 0; kept < torn.size(); ++kept) {
    ASSERT_TRUE(files_.OpenAppend("d/s").ok());
    ASSERT_TRUE(files_.Remove("d/s").ok());
    Write(whole + torn.substr(0, kept));
    EXPECT_EQ(ScanAll(), std::vector<std::string>({"one", "two"})) << kept;
    EXPECT_EQ(end_offset_, whole.size());
  }
}

TEST_F(SegmentTest, DamageCostsOneRecord) {
  const std::string first = Records({"one"});
  const std::string data = first + Records({"two is longer"}) + Records({"three"});
  const size_t second_size = Records({"two is longer"}).size();
  for (size_t at = first.size(); at < first.size() + second_size; ++at) {
    ASSERT_TRUE(files_.OpenAppend("d/s").ok());
    ASSERT_TRUE(files_.Remove("d/s").ok());
    Write(data);
    files_.Damage("d/s", at);
    EXPECT_EQ(ScanAll(), std::vector<std::string>({"one", "three"})) << at;
    EXPECT_EQ(damaged_bytes_, second_size);
  }
}

TEST_F(SegmentTest, RandomBytesAreNoRecords) {
  std::mt19937 random(1);
  std::string noise(300'000, '\0');
  for (char& byte : noise) byte = static_cast<char>("\xb5MRr\x01\x00\xff"[random() % 7]);
  Write(noise + Records({"one"}));
  EXPECT_EQ(ScanAll(), std::vector<std::string>({"one"}));
}

TEST(SegmentHeaderTest, ComesBack) {
  SegmentHeader header;
  header.ref.set_job_id("r-1/2");
  header.ref.set_epoch(7);
  header.spec.set_suite("driver");
  header.first_sequence = 41;
  header.dropped_before = 3;
  const auto decoded = DecodeHeader(EncodeHeader(header));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->ref.job_id(), "r-1/2");
  EXPECT_EQ(decoded->spec.suite(), "driver");
  EXPECT_EQ(decoded->first_sequence, 41u);
  EXPECT_EQ(decoded->dropped_before, 3u);
  EXPECT_FALSE(DecodeHeader("short").ok());
}

}  // namespace
}  // namespace muster::agent
