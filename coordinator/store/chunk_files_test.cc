#include "coordinator/store/chunk_files.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file_system_fake.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

constexpr char kJob[] = "r-0000000000001/3";
constexpr char kLog[] = "/logs/r-0000000000001/3.1.log";

LogRow Log(uint64_t sequence, const std::string& text) {
  LogRow row{.job_id = kJob, .attempt = 1, .sequence = sequence};
  row.chunk.set_data(text);
  return row;
}

ArtifactRow Part(uint64_t sequence, const std::string& name, uint64_t offset, const std::string& data, bool last) {
  ArtifactRow row{.job_id = kJob, .attempt = 1, .sequence = sequence};
  row.chunk.set_name(name);
  row.chunk.set_offset(offset);
  row.chunk.set_data(data);
  row.chunk.set_last(last);
  return row;
}

class ChunkFilesTest : public ::testing::Test {
 protected:
  ChunkFiles Make() { return ChunkFiles(disk_, "/logs", limits_); }
  static std::string ReadAll(ChunkFiles& files) {
    std::string text;
    uint64_t position = 0;
    while (true) {
      const absl::StatusOr<LogPage> page = files.ReadLog(kJob, 1, position, 1);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok() || page->chunks.empty()) return text;
      for (const v1::LogChunk& chunk : page->chunks) text += chunk.data();
      position = page->next_position;
    }
  }

  uint64_t NextRandom() {
    random_ = random_ * 6364136223846793005u + 1442695040888963407u;
    return random_ >> 33;
  }
  uint64_t random_ = 1;
  base::FakeFileSystem disk_{[this] { return NextRandom(); }};
  ChunkFileLimits limits_;
};

TEST_F(ChunkFilesTest, ALogIsReadAsItWasWritten) {
  ChunkFiles files = Make();
  EXPECT_EQ(ReadAll(files), "");
  ASSERT_TRUE(files.Append({Log(1, "a"), Log(4, "b")}, {}).ok());
  ASSERT_TRUE(files.Append({Log(5, "c")}, {}).ok());
  EXPECT_EQ(ReadAll(files), "abc");
}

TEST_F(ChunkFilesTest, WhatComesAgainIsNotAppendedAgain) {
  {
    ChunkFiles files = Make();
    ASSERT_TRUE(files.Append({Log(1, "a"), Log(2, "b")}, {}).ok());
    ASSERT_TRUE(files.Append({Log(2, "b"), Log(3, "c")}, {}).ok());
  }
  disk_.Crash();
  ChunkFiles files = Make();
  ASSERT_TRUE(files.Append({Log(2, "b"), Log(3, "c"), Log(4, "d")}, {}).ok());
  EXPECT_EQ(ReadAll(files), "abcd");
}

TEST_F(ChunkFilesTest, ATornEndIsCut) {
  {
    ChunkFiles files = Make();
    ASSERT_TRUE(files.Append({Log(1, "a")}, {}).ok());
  }
  const uint64_t whole = *disk_.Size(kLog);
  {
    ChunkFiles files = Make();
    ASSERT_TRUE(files.Append({Log(2, "b")}, {}).ok());
  }
  const uint64_t both = *disk_.Size(kLog);
  for (uint64_t size = whole; size < both; ++size) {
    ASSERT_TRUE(disk_.Truncate(kLog, size).ok());
    ChunkFiles files = Make();
    EXPECT_EQ(ReadAll(files), "a");
    ASSERT_TRUE(files.Append({Log(2, "b")}, {}).ok());
    EXPECT_EQ(ReadAll(files), "ab") << size;
  }
}

TEST_F(ChunkFilesTest, ABoundIsKeptAndSaid) {
  limits_.max_log_bytes = 300;
  ChunkFiles files = Make();
  for (uint64_t sequence = 1; sequence < 100; ++sequence) {
    ASSERT_TRUE(files.Append({Log(sequence, absl::StrCat("line ", sequence, "\n"))}, {}).ok());
  }
  EXPECT_LT(*disk_.Size(kLog), 600u);
  EXPECT_NE(ReadAll(files).find("keeps no more"), std::string::npos);
}

TEST_F(ChunkFilesTest, ManyChunksMakeSeveralFrames) {
  std::vector<LogRow> rows;
  std::string expected;
  for (uint64_t sequence = 1; sequence <= 40; ++sequence) {
    rows.push_back(Log(sequence, std::string(30'000, static_cast<char>('a' + sequence % 26))));
    expected += rows.back().chunk.data();
  }
  ChunkFiles files = Make();
  ASSERT_TRUE(files.Append(rows, {}).ok());
  EXPECT_LT(files.ReadLog(kJob, 1, 0, 1)->chunks.size(), 40u);
  EXPECT_EQ(ReadAll(files), expected);
}

TEST_F(ChunkFilesTest, ArtifactsAreListedWhenWholeAndReadInParts) {
  ChunkFiles files = Make();
  ASSERT_TRUE(files.Append({}, {Part(1, "core.txt", 0, "hello ", false), Part(2, "open.txt", 0, "x", false)}).ok());
  EXPECT_TRUE(files.ListArtifacts("r-0000000000001")->empty());
  ASSERT_TRUE(files.Append({}, {Part(3, "core.txt", 6, "world", true)}).ok());
  const auto artifacts = files.ListArtifacts("r-0000000000001");
  ASSERT_EQ(artifacts->size(), 1u);
  EXPECT_EQ(artifacts->at(0).name(), "core.txt");
  EXPECT_EQ(artifacts->at(0).size_bytes(), 11u);
  EXPECT_EQ(artifacts->at(0).job_id(), kJob);
  EXPECT_EQ(*files.ReadArtifact(kJob, 1, "core.txt", 0, 100), "hello world");
  EXPECT_EQ(*files.ReadArtifact(kJob, 1, "core.txt", 4, 4), "o wo");
  EXPECT_EQ(*files.ReadArtifact(kJob, 1, "core.txt", 11, 4), "");
  EXPECT_TRUE(absl::IsNotFound(files.ReadArtifact(kJob, 1, "other", 0, 4).status()));
  EXPECT_TRUE(absl::IsNotFound(files.ReadArtifact(kJob, 2, "core.txt", 0, 4).status()));
}

// Crashes and failing disks at every turn; what a commit has not said OK to comes again, as from an agent's outbox.
TEST_F(ChunkFilesTest, NothingIsLostOrDoubledWhateverHappens) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    random_ = seed;
    base::FakeFileSystem disk([this] { return NextRandom(); });
    std::string expected;
    uint64_t committed = 0;
    auto files = std::make_unique<ChunkFiles>(disk, "/logs", limits_);
    while (committed < 30) {
      std::vector<LogRow> rows;
      const uint64_t count = 1 + NextRandom() % 4;
      for (uint64_t i = 1; i <= count; ++i) rows.push_back(Log(committed + i, absl::StrCat(committed + i, " ")));
      const uint64_t trouble = NextRandom() % 6;
      if (trouble == 0) disk.FailSyncs(true);
      if (trouble == 1) disk.SetCapacity(disk.used_bytes() + NextRandom() % 60);
      const bool appended = files->Append(rows, {}).ok();
      disk.FailSyncs(false);
      disk.SetCapacity(1 << 20);
      if (trouble == 2 || (!appended && NextRandom() % 2 == 0)) {
        disk.Crash();
        files = std::make_unique<ChunkFiles>(disk, "/logs", limits_);
        continue;  // The database never heard of it.
      }
      if (!appended) continue;
      for (const LogRow& row : rows) expected += row.chunk.data();
      committed += count;
    }
    disk.Crash();
    files = std::make_unique<ChunkFiles>(disk, "/logs", limits_);
    // Chunks of a commit that was not made may be there; they would come again.
    const std::string text = ReadAll(*files);
    EXPECT_TRUE(text.starts_with(expected)) << "seed " << seed;
    std::string all;
    for (uint64_t sequence = 1; sequence <= committed + 4; ++sequence) absl::StrAppend(&all, sequence, " ");
    EXPECT_TRUE(all.starts_with(text)) << "seed " << seed;
  }
}

TEST_F(ChunkFilesTest, AnIdThatIsNoIdIsNoPath) {
  ChunkFiles files = Make();
  EXPECT_FALSE(files.ReadLog("../../etc/passwd", 1, 0, 1).ok());
  EXPECT_FALSE(files.ListArtifacts("..").ok());
}

}  // namespace
}  // namespace muster::coordinator
