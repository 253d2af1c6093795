#include "suites/physical/library_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace muster::physical {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::EndsWith;

const LibraryNames kNames = {.names = {"libx.so.2", "libx.so.1"}, .file = "libx.so.[0-9]*", .packages = {"cu13", "x"}};

TEST(LibraryCandidates, TheNamedOneComesFirst) {
  EXPECT_THAT(LibraryCandidates(kNames, "/opt/x/libx.so.2", ""),
              testing::ElementsAre("/opt/x/libx.so.2", "libx.so.2", "libx.so.1"));
  EXPECT_THAT(LibraryCandidates(kNames, "", ""), testing::ElementsAre("libx.so.2", "libx.so.1"));
}

TEST(LibraryCandidates, ThePackagesOfAPythonOnThePathAreAmongThem) {
  const fs::path root = fs::path(testing::TempDir()) / "library_candidates";
  fs::create_directories(root / "bin");
  for (const char* folder :
       {"lib/python3.12/site-packages/nvidia/cu13/lib", "lib/python3/dist-packages/nvidia/x/lib"}) {
    fs::create_directories(root / folder);
    std::ofstream(root / folder / "libx.so.2");
  }
  const auto candidates = LibraryCandidates(kNames, "", (root / "bin").string() + ":/nonexistent");
  EXPECT_THAT(candidates, Contains(EndsWith("site-packages/nvidia/cu13/lib/libx.so.2")));
  EXPECT_THAT(candidates, Contains(EndsWith("dist-packages/nvidia/x/lib/libx.so.2")));
  fs::remove_all(root);
}

}  // namespace
}  // namespace muster::physical
