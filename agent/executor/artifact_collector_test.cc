#include "agent/executor/artifact_collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include "base/text.h"

namespace muster::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class ArtifactCollectorTest : public ::testing::Test {
 protected:
  ArtifactCollectorTest() : folder_(::testing::TempDir() + base::Text("/artifacts-", getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~ArtifactCollectorTest() override { std::filesystem::remove_all(folder_); }
  void Write(const std::string& name, const std::string& content) { std::ofstream(folder_ + "/" + name) << content; }
  void Collect(const ArtifactLimits& limits = {}) {
    CollectArtifacts(
        folder_, limits,
        [this](v1::ArtifactChunk chunk) {
          EXPECT_LE(chunk.data().size(), 64u * 1024);
          EXPECT_EQ(chunk.offset(), files_[chunk.name()].size());
          files_[chunk.name()] += chunk.data();
          types_[chunk.name()] = chunk.content_type();
          if (chunk.last()) complete_.push_back(chunk.name());
        },
        [this](std::string_view line) { said_.emplace_back(line); });
  }

  const std::string folder_;
  std::map<std::string, std::string> files_;
  std::map<std::string, std::string> types_;
  std::vector<std::string> complete_;
  std::vector<std::string> said_;
};

TEST_F(ArtifactCollectorTest, TakesFilesInChunks) {
  const std::string big(200'000, 'b');
  Write("big.log", big);
  Write("empty", "");
  Collect();
  EXPECT_THAT(files_, UnorderedElementsAre(Pair("big.log", big), Pair("empty", "")));
  EXPECT_THAT(complete_, ElementsAre("big.log", "empty"));
  EXPECT_EQ(types_["big.log"], "text/plain");
  EXPECT_EQ(types_["empty"], "application/octet-stream");
  EXPECT_THAT(said_, IsEmpty());
}

TEST_F(ArtifactCollectorTest, RefusesWhatIsNoPlainFile) {
  std::filesystem::create_directory(folder_ + "/folder");
  ASSERT_EQ(mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  ASSERT_EQ(symlink("/etc/passwd", (folder_ + "/link").c_str()), 0);
  Write("name with spaces", "x");
  Write("one", "x");
  std::filesystem::create_hard_link(folder_ + "/one", folder_ + "/two");
  Collect();
  EXPECT_THAT(files_, IsEmpty());
  EXPECT_EQ(said_.size(), 6u);
}

TEST_F(ArtifactCollectorTest, IsBounded) {
  for (const char* name : {"a", "b", "c"}) Write(name, std::string(10, 'x'));
  Collect({.files = 2});
  EXPECT_THAT(complete_, ElementsAre("a", "b"));
  complete_.clear();
  files_.clear();
  Write("a", std::string(11, 'x'));
  Collect({.file_bytes = 10, .total_bytes = 15});
  EXPECT_THAT(complete_, ElementsAre("b"));
  EXPECT_THAT(said_, ::testing::Contains(HasSubstr("\"a\" is left out: it has 11 bytes")));
}

TEST_F(ArtifactCollectorTest, AMissingFolderHoldsNothing) {
  std::filesystem::remove_all(folder_);
  Collect();
  EXPECT_THAT(files_, IsEmpty());
}

}  // namespace
}  // namespace muster::agent
