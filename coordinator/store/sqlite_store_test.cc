#include "coordinator/store/sqlite_store.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "coordinator/store/sqlite_schema.h"
#include "coordinator/store/store_contract_test.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;

// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = ::testing::TempDir() + "store-XXXXXX";
    path_ = mkdtemp(path.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class SqliteBackend {
 public:
  SqliteBackend() { Restart(); }
  Store& store() { return *store_; }
  SqliteStore& sqlite() { return *store_; }
  const std::string& folder() const { return folder_.path(); }
  void Restart() {
    store_.reset();
    absl::StatusOr<std::unique_ptr<SqliteStore>> opened = SqliteStore::Open({.folder = folder_.path()});
    EXPECT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }
  void Close() { store_.reset(); }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<SqliteStore> store_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreContract, SqliteBackend);

TEST(SqliteStoreTest, AFolderHasOneCoordinator) {
  SqliteBackend backend;
  const auto second = SqliteStore::Open({.folder = backend.folder()});
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status()));
  EXPECT_THAT(second.status().message(), HasSubstr(std::to_string(getpid())));
}

TEST(SqliteStoreTest, ANewerSchemaIsRefused) {
  SqliteBackend backend;
  backend.Close();
  {
    auto connection = Connection::Open(backend.folder() + "/muster.db", Connection::Mode::kReadWrite);
    ASSERT_TRUE((*connection)->Execute("PRAGMA user_version = 1000").ok());
  }
  const auto opened = SqliteStore::Open({.folder = backend.folder()});
  EXPECT_TRUE(absl::IsFailedPrecondition(opened.status()));
  EXPECT_THAT(opened.status().message(), HasSubstr("schema version 1000"));
}

TEST(SqliteStoreTest, ADatabaseOfTheFirstReleaseIsTakenOver) {
  SqliteBackend backend;
  WriteBatch batch;
  batch.runs.push_back(MakeRun(kRun, v1::RUN_STATE_FINISHED));
  ASSERT_TRUE(backend.store().Commit(batch).ok());
  backend.Close();
  {
    auto connection = Connection::Open(backend.folder() + "/muster.db", Connection::Mode::kReadWrite);
    ASSERT_TRUE(
        (*connection)->Execute("DROP TABLE quarantines; DROP INDEX runs_finished; PRAGMA user_version = 1").ok());
  }
  backend.Restart();
  WriteBatch later;
  later.quarantines.push_back(MakeQuarantine("g1", "hot"));
  ASSERT_TRUE(backend.store().Commit(later).ok());
  EXPECT_EQ(backend.store().Load()->quarantines.size(), 1u);
  EXPECT_EQ(backend.store().LastRuns(10)->size(), 1u);
}

TEST(SqliteStoreTest, ABrokenFileIsDataLoss) {
  TemporaryFolder folder;
  std::ofstream(folder.path() + "/muster.db") << std::string(8192, 'x');
  const auto opened = SqliteStore::Open({.folder = folder.path()});
  EXPECT_TRUE(absl::IsDataLoss(opened.status())) << opened.status();
  EXPECT_THAT(opened.status().message(), HasSubstr("restore the database from a backup"));
}

TEST(SqliteStoreTest, ABatchIsAllOrNothing) {
  SqliteBackend backend;
  WriteBatch batch;
  batch.runs.push_back(MakeRun(kRun));
  batch.cases.push_back(MakeCase("r-0000000000001/1", 1, "copy", v1::PASSED));  // Of no attempt.
  EXPECT_FALSE(backend.store().Commit(batch).ok());
  EXPECT_FALSE(backend.store().ReadRun(kRun).ok());
  batch.jobs.push_back(MakeJob(kRun, 1));
  batch.attempts.push_back(MakeAttempt("r-0000000000001/1", 1));
  EXPECT_TRUE(backend.store().Commit(batch).ok());
}

TEST(SqliteStoreTest, AFullDiskIsSaidAndSurvived) {
  SqliteBackend backend;
  backend.Close();
  auto connection = Connection::Open(backend.folder() + "/muster.db", Connection::Mode::kReadWrite);
  ASSERT_TRUE((*connection)->Execute("PRAGMA max_page_count = 40").ok());
  SqliteWriter writer(**connection);
  WriteBatch batch;
  batch.runs.push_back(MakeRun(kRun));
  batch.runs.back().add_notes(std::string(1 << 20, 'x'));
  const absl::Status full = writer.Commit(batch);
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  EXPECT_THAT(full.message(), HasSubstr("free space"));
  batch.runs.back().clear_notes();
  EXPECT_TRUE(writer.Commit(batch).ok());
}

TEST(SqliteStoreTest, LogsAreCommittedWithTheRest) {
  SqliteBackend backend;
  WriteBatch batch;
  batch.logs.push_back({.job_id = "r-0000000000001/1", .attempt = 1, .sequence = 1});
  batch.logs[0].chunk.set_data("hello");
  ASSERT_TRUE(backend.store().Commit(batch).ok());
  backend.Restart();
  const absl::StatusOr<LogPage> page = backend.sqlite().files().ReadLog("r-0000000000001/1", 1, 0, 100);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->chunks.size(), 1u);
  EXPECT_EQ(page->chunks[0].data(), "hello");
}

TEST(SqliteStoreTest, QueriesRunBesideCommits) {
  SqliteBackend backend;
  std::thread writer([&] {
    for (int i = 0; i < 50; ++i) {
      WriteBatch batch;
      batch.runs.push_back(MakeRun(absl::StrCat("r-00000000000", i + 10)));
      EXPECT_TRUE(backend.store().Commit(batch).ok());
    }
  });
  size_t seen = 0;
  while (seen < 50) {
    const auto runs = backend.store().ListRuns(100, "", "");
    ASSERT_TRUE(runs.ok()) << runs.status();
    EXPECT_GE(runs->size(), seen);
    seen = runs->size();
  }
  writer.join();
}

}  // namespace
}  // namespace muster::coordinator
