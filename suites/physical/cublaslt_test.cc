#include "suites/physical/cublaslt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace muster::physical {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::EndsWith;
using testing::HasSubstr;

TEST(CublasLtCandidates, TheNamedOneComesFirst) {
  const auto candidates = CublasLtCandidates("/opt/x/libcublasLt.so.13", "");
  ASSERT_GE(candidates.size(), 4u);
  EXPECT_EQ(candidates[0], "/opt/x/libcublasLt.so.13");
  EXPECT_EQ(candidates[1], "libcublasLt.so.13");
  EXPECT_EQ(CublasLtCandidates("", "")[0], "libcublasLt.so.13");
}

TEST(CublasLtCandidates, ThePackagesOfAPythonOnThePathAreAmongThem) {
  const fs::path root = fs::path(testing::TempDir()) / "cublaslt_candidates";
  const fs::path folder = root / "lib/python3.12/site-packages/nvidia/cu13/lib";
  fs::create_directories(folder);
  fs::create_directories(root / "bin");
  std::ofstream(folder / "libcublasLt.so.13");
  const auto candidates = CublasLtCandidates("", (root / "bin").string() + ":/nonexistent");
  EXPECT_THAT(candidates, Contains(EndsWith("nvidia/cu13/lib/libcublasLt.so.13")));
  fs::remove_all(root);
}

TEST(CublasLt, SaysWhatWasTried) {
  const auto loaded = CublasLt::Load({"/nonexistent/libcublasLt.so.13"});
  EXPECT_TRUE(absl::IsNotFound(loaded.status()));
  EXPECT_THAT(loaded.status().ToString(), HasSubstr("/nonexistent/libcublasLt.so.13"));
}

}  // namespace
}  // namespace muster::physical
