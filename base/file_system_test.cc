#include "base/file_system.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/file_system_fake.h"

namespace muster::base {
namespace {

// The contract, on both.
void Exercise(FileSystem& files, const std::string& root) {
  ASSERT_TRUE(files.MakeDirectory(root + "/a/b").ok());
  ASSERT_TRUE(files.MakeDirectory(root + "/a/b").ok());
  const std::string path = root + "/a/b/file";
  EXPECT_TRUE(absl::IsNotFound(files.Read(path, 0, 1).status()));
  {
    auto file = files.OpenAppend(path);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->Append("hello ").ok());
    ASSERT_TRUE((*file)->Append("world").ok());
    ASSERT_TRUE((*file)->Sync().ok());
  }
  EXPECT_EQ(files.Read(path, 6, 100).value(), "world");
  EXPECT_EQ(files.Read(path, 11, 100).value(), "");
  EXPECT_EQ(files.Size(path).value(), 11u);
  ASSERT_TRUE(files.Truncate(path, 5).ok());
  {
    auto file = files.OpenAppend(path);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append("!").ok());
  }
  EXPECT_EQ(files.Read(path, 0, 100).value(), "hello!");
  ASSERT_TRUE(files.Rename(path, root + "/a/b/other").ok());
  EXPECT_EQ(files.List(root + "/a/b").value(), std::vector<std::string>({"other"}));
  ASSERT_TRUE(files.SyncDirectory(root + "/a/b").ok());
  ASSERT_TRUE(files.Remove(root + "/a/b/other").ok());
  EXPECT_TRUE(absl::IsNotFound(files.Remove(root + "/a/b/other")));
  EXPECT_TRUE(files.List(root + "/a/b")->empty());
}

TEST(FileSystemTest, PosixKeepsTheContract) {
  std::string root = testing::TempDir() + "/file_system_XXXXXX";
  ASSERT_NE(mkdtemp(root.data()), nullptr);
  Exercise(PosixFileSystem(), root);
}

TEST(FileSystemTest, TheFakeKeepsTheContract) {
  FakeFileSystem files([] { return 0; });
  Exercise(files, "root");
}

TEST(FileSystemTest, AFullDiskIsResourceExhausted) {
  auto file = PosixFileSystem().OpenAppend("/dev/full");
  if (!file.ok()) GTEST_SKIP() << "no /dev/full";
  EXPECT_TRUE(absl::IsResourceExhausted((*file)->Append("x")));
}

TEST(FakeFileSystemTest, ACrashTakesWhatWasNotSynced) {
  FakeFileSystem files([] { return 0; });
  auto file = files.OpenAppend("d/x");
  ASSERT_TRUE(files.SyncDirectory("d").ok());
  ASSERT_TRUE((*file)->Append("kept").ok());
  ASSERT_TRUE((*file)->Sync().ok());
  ASSERT_TRUE((*file)->Append("lost").ok());
  ASSERT_TRUE(files.OpenAppend("d/y").ok());
  ASSERT_TRUE(files.Rename("d/x", "d/z").ok());
  files.Crash();
  EXPECT_EQ(files.List("d").value(), std::vector<std::string>({"x"}));
  EXPECT_EQ(files.Read("d/x", 0, 100).value(), "kept");
}

TEST(FakeFileSystemTest, AFullDiskTakesAPart) {
  FakeFileSystem files([] { return 0; });
  files.SetCapacity(3);
  auto file = files.OpenAppend("d/x");
  EXPECT_TRUE(absl::IsResourceExhausted((*file)->Append("hello")));
  EXPECT_EQ(files.Read("d/x", 0, 100).value(), "hel");
}

}  // namespace
}  // namespace muster::base
