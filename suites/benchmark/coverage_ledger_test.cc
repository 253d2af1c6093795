#include "suites/benchmark/coverage_ledger.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace muster::benchmark {
namespace {

class CoverageLedgerTest : public testing::Test {
 protected:
  CoverageLedgerTest() : folder_(testing::TempDir() + "ledger_" + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~CoverageLedgerTest() override { std::filesystem::remove_all(folder_); }

  CoverageLedger Open(const std::string& device) {
    auto ledger = CoverageLedger::Open(folder_, device);
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    return *std::move(ledger);
  }

  const std::string folder_;
};

TEST_F(CoverageLedgerTest, AddsUpOverRuns) {
  for (int run = 1; run <= 3; ++run) {
    CoverageLedger ledger = Open("GPU-1/a b");
    CoverageLedger::Entry& entry = ledger.Of("pulse@1000");
    EXPECT_EQ(entry.next_seed, 1u + 10 * (run - 1));
    entry.seconds += 2.5;
    entry.next_seed += 10;
    ASSERT_TRUE(ledger.Save().ok());
    EXPECT_DOUBLE_EQ(Open("GPU-1/a b").Of("pulse@1000").seconds, 2.5 * run);
  }
  EXPECT_EQ(Open("GPU-1/a b").Of("steady").seconds, 0);
  EXPECT_EQ(Open("GPU-2").Of("pulse@1000").seconds, 0);
}

TEST_F(CoverageLedgerTest, WithoutAFolderNothingIsKept) {
  auto ledger = CoverageLedger::Open("", "GPU-1");
  ASSERT_TRUE(ledger.ok());
  ledger->Of("steady").seconds = 5;
  EXPECT_TRUE(ledger->Save().ok());
  EXPECT_EQ(CoverageLedger::Open("", "GPU-1")->Of("steady").seconds, 0);
}

TEST_F(CoverageLedgerTest, WhatIsNoLedgerIsNotTakenForOne) {
  for (const char* text : {"", "another file\n", "muster stress coverage 1\nsteady\t-1\t2\n",
                           "muster stress coverage 1\nsteady\tnan\t2\n", "muster stress coverage 1\nsteady\t1\n"}) {
    std::ofstream(folder_ + "/stress-GPU-1.txt") << text;
    EXPECT_TRUE(absl::IsDataLoss(CoverageLedger::Open(folder_, "GPU-1").status())) << text;
  }
}

}  // namespace
}  // namespace muster::benchmark
