#include "suites/driver/library_file.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace muster::driver {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;

TEST(LibraryFile, TheVersionIsTheEndOfTheName) {
  EXPECT_EQ(VersionOfLibraryFile("/usr/lib/x86_64-linux-gnu/libcuda.so.580.159.04"), "580.159.04");
  EXPECT_EQ(VersionOfLibraryFile("/usr/lib/libze_intel_gpu.so.1.3.24595"), "1.3.24595");
  EXPECT_EQ(VersionOfLibraryFile("/usr/lib/libcuda.so.1"), "");
  EXPECT_EQ(VersionOfLibraryFile("libcuda.so"), "");
  EXPECT_EQ(VersionOfLibraryFile("libx.so.1..2"), "");
}

TEST(LibraryFile, ALoadedLibraryHasAPath) {
  EXPECT_THAT(LoadedLibrary("libc.so.6"), EndsWith("libc.so.6"));
  EXPECT_EQ(LoadedLibrary("libnothing.so.1"), "");
  EXPECT_THAT(LoadedLevelZeroDrivers(), IsEmpty());
}

TEST(LibraryFile, NamesInAFileAreFoundOnce) {
  const std::string path = testing::TempDir() + "names.so";
  std::ofstream(path) << "\0libigc.so.1\0libigcx.so.3 libigc.so libigc.so.2 libigc.so.1\0libigc.so."s;
  EXPECT_THAT(SonamesInFile(path, "libigc"), ElementsAre("libigc.so.1", "libigc.so.2"));
  std::filesystem::remove(path);
  EXPECT_THAT(SonamesInFile(path, "libigc"), IsEmpty());
}

// The library was linked with the search path $ORIGIN/beside, which nobody else has.
TEST(LibraryFile, ALibrarysOwnSearchPathIsLookedAt) {
  namespace fs = std::filesystem;
  void* const library = dlopen(MUSTER_SEARCHING_LIBRARY, RTLD_NOW);
  ASSERT_NE(library, nullptr) << dlerror();
  const fs::path beside = fs::path(MUSTER_SEARCHING_LIBRARY).parent_path() / "beside";
  fs::remove_all(beside);
  EXPECT_EQ(FindForLibrary(MUSTER_SEARCHING_LIBRARY, "libonlyhere.so.1"), "libonlyhere.so.1");
  fs::create_directories(beside);
  std::ofstream(beside / "libonlyhere.so.1") << "x";
  EXPECT_EQ(FindForLibrary(MUSTER_SEARCHING_LIBRARY, "libonlyhere.so.1"), (beside / "libonlyhere.so.1").string());
  EXPECT_EQ(FindForLibrary("/nowhere/libnone.so", "libonlyhere.so.1"), "libonlyhere.so.1");
  fs::remove_all(beside);
  dlclose(library);
}

}  // namespace
}  // namespace muster::driver
