#include "base/kernel_record.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "gtest/gtest.h"

namespace muster::base {
namespace {

TEST(KernelRecordTest, TakesARecordApart) {
  const auto record = ParseKernelRecord(
      "4,1234,5140900,-;NVRM: Xid (PCI:0000:41:00): 79, GPU has fallen off the bus.\n SUBSYSTEM=pci\n "
      "DEVICE=+pci:0000:41:00.0\n");
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->severity, 4);
  EXPECT_EQ(record->facility, 0);
  EXPECT_EQ(record->sequence, 1234u);
  EXPECT_EQ(record->since_boot_us, 5'140'900);
  EXPECT_EQ(record->text, "NVRM: Xid (PCI:0000:41:00): 79, GPU has fallen off the bus.");
}

TEST(KernelRecordTest, KnowsWhoWrote) {
  // A program that wrote to /dev/kmsg, and fields that newer kernels add before the text.
  EXPECT_EQ(ParseKernelRecord("30,1,2,-;systemd[1]: Started.")->facility, 3);
  EXPECT_EQ(ParseKernelRecord("6,1,2,-,caller=T1;text")->text, "text");
  EXPECT_EQ(ParseKernelRecord("6,1,2;text")->text, "text");
  EXPECT_EQ(ParseKernelRecord("6,1,2,c;a;b")->text, "a;b");
  EXPECT_EQ(ParseKernelRecord("6,1,2,-;")->text, "");
}

TEST(KernelRecordTest, UndoesEscapesAndCleans) {
  EXPECT_EQ(ParseKernelRecord("6,1,2,-;a\\x5cb\\x41")->text, "a\\bA");
  EXPECT_EQ(ParseKernelRecord("6,1,2,-;a\\x1b[31m\\x0a7,9,9,-;forged")->text, "a [31m 7,9,9,-;forged");
  EXPECT_EQ(ParseKernelRecord("6,1,2,-;\\xc3\\xa9 \\xff")->text, "é \xef\xbf\xbd");
  EXPECT_EQ(ParseKernelRecord("6,1,2,-;\\x4 \\xzz \\x")->text, "\\x4 \\xzz \\x");
}

TEST(KernelRecordTest, IsBounded) {
  std::string text(kMaxKernelTextBytes - 1, 'a');
  text += "é and more";
  const auto record = ParseKernelRecord("6,1,2,-;" + text);
  EXPECT_EQ(record->text, std::string(kMaxKernelTextBytes - 1, 'a'));  // No half of a character.
}

TEST(KernelRecordTest, RefusesWhatIsNone) {
  for (const char* bad : {"", "text", "6", "6,1,2", "6,1,2,-", "6,1;text", ",1,2,-;text", "6,,2,-;text", "6,1,,-;text",
                          "-6,1,2,-;text", "6,1,-2,-;text", "1024,1,2,-;text", "6,99999999999999999999,2,-;text",
                          "6,1,18446744073709551615,-;text", " 6,1,2,-;text", "6,1,2x,-;text"}) {
    const auto record = ParseKernelRecord(bad);
    EXPECT_EQ(record.status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

// The deterministic sister of tests/fuzz/fuzz_kernel_record.cc.
TEST(KernelRecordTest, AnythingAtAllKeepsThePromises) {
  std::mt19937 random(1);
  const std::vector<std::string> seeds = {"4,1234,5140900,-;NVRM: Xid (PCI:0000:41:00): 79, pid=1\n SUBSYSTEM=pci\n",
                                          "6,1,2,c;\\xc3\\xa9\\x5c\\x00", "1023,18446744073709551615,1;"};
  const std::string alphabet = "0123456789,;-\\xafX \n\xc3\xa9\xff";
  int parsed = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string record = seeds[random() % seeds.size()];
    for (unsigned edits = 1 + random() % 4; edits > 0; --edits) {
      const size_t at = random() % (record.size() + 1);
      const char c = alphabet[random() % alphabet.size()];
      switch (random() % 3) {
        case 0:
          record.insert(at, 1, c);
          break;
        case 1:
          if (at < record.size()) record.erase(at, 1 + random() % 3);
          break;
        default:
          if (at < record.size()) record[at] = c;
      }
    }
    const auto result = ParseKernelRecord(record);
    if (!result.ok()) continue;
    ++parsed;
    ASSERT_LE(result->text.size(), kMaxKernelTextBytes);
    ASSERT_EQ(ValidUtf8(result->text), result->text);
    ASSERT_TRUE(std::none_of(result->text.begin(), result->text.end(),
                             [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
    ASSERT_LE(result->severity, 7);
    ASSERT_GE(result->since_boot_us, 0);
  }
  EXPECT_GT(parsed, 50'000);
}

}  // namespace
}  // namespace muster::base
