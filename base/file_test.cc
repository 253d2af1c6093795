#include "base/file.h"

#include <dirent.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace muster::base {
namespace {

using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    std::string name = ::testing::TempDir() + "muster-file-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    DIR* folder = ::opendir(folder_.c_str());
    while (const dirent* entry = ::readdir(folder)) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    ::closedir(folder);
    return names;
  }
  static mode_t Mode(const std::string& path) {
    struct stat found = {};
    EXPECT_EQ(::stat(path.c_str(), &found), 0);
    return found.st_mode & 0777;
  }
  std::string folder_;
};

TEST_F(FileTest, WritesReplacesAndLeavesNothingElse) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), "one", 0600).ok());
  EXPECT_EQ(Mode(Path("a")), 0600u);
  ASSERT_TRUE(WriteFileAtomic(Path("a"), std::string("t\0wo", 4), 0640).ok());
  EXPECT_EQ(ReadFile(Path("a"), 4).value(), std::string("t\0wo", 4));
  EXPECT_EQ(Mode(Path("a")), 0640u);
  EXPECT_EQ(Names(), std::vector<std::string>{"a"});
}

TEST_F(FileTest, ReadsNoMoreThanTheLimit) {
  ASSERT_TRUE(WriteFileAtomic(Path("a"), std::string(100'000, 'x')).ok());
  EXPECT_EQ(ReadFile(Path("a"), 100'000)->size(), 100'000u);
  const absl::Status status = ReadFile(Path("a"), 99'999).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(std::string(status.message()), HasSubstr("99999"));
}

TEST_F(FileTest, ReadsFilesWithoutASize) { EXPECT_FALSE(ReadFile("/proc/self/stat", 65'536)->empty()); }

TEST_F(FileTest, SaysWhatIsMissing) {
  const absl::Status status = ReadFile(Path("none"), 10).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path("none")));
  EXPECT_EQ(WriteFileAtomic(Path("none/a"), "x").code(), absl::StatusCode::kNotFound);
}

TEST_F(FileTest, AFailedWriteKeepsTheOldAndLeavesNothing) {
  ASSERT_TRUE(MakeFolders(Path("a/b")).ok());
  EXPECT_FALSE(WriteFileAtomic(Path("a"), "x").ok());  // A folder cannot be replaced by a file.
  EXPECT_EQ(Names(), std::vector<std::string>{"a"});
}

TEST_F(FileTest, MakesFoldersOnceAndRefusesFiles) {
  ASSERT_TRUE(MakeFolders(Path("a/b/c"), 0700).ok());
  EXPECT_EQ(Mode(Path("a/b/c")), 0700u);
  EXPECT_TRUE(MakeFolders(Path("a/b/c/")).ok());
  ASSERT_TRUE(WriteFileAtomic(Path("f"), "").ok());
  EXPECT_EQ(MakeFolders(Path("f")).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(MakeFolders(Path("f/g")).ok());
}

TEST_F(FileTest, ExistsAlsoWhenItLeadsNowhere) {
  EXPECT_FALSE(FileExists(Path("link")));
  ASSERT_EQ(::symlink("nowhere", Path("link").c_str()), 0);
  EXPECT_TRUE(FileExists(Path("link")));
}

TEST(JoinPath, HasOneSlash) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "/b"), "a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
}

}  // namespace
}  // namespace muster::base
