#include "agent/health/kernel_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/fixture_tree.h"
#include "gtest/gtest.h"

namespace muster::agent {
namespace {

constexpr char kXid79[] = "3,10,5000000,-;NVRM: Xid (PCI:0000:41:00): 79, GPU has fallen off the bus.";
constexpr char kXid31[] = "3,11,6000000,-;NVRM: Xid (PCI:0000:41:00): 31, MMU Fault";

class KernelLogTest : public ::testing::Test {
 protected:
  KernelLogTest() { tree_.MakeFolder("/dev"); }
  ~KernelLogTest() override { log_.reset(); }

  void Open() {
    log_ = OpenKernelLog(loop_, base::EventCatalogue::Embedded(), tree_.root(),
                         {.on_events =
                              [this](std::vector<KernelEvent> events) {
                                for (KernelEvent& event : events) events_.push_back(std::move(event));
                                loop_.Stop();
                              },
                          .on_status =
                              [this](const KernelLogStatus& status) {
                                statuses_.push_back(status);
                                loop_.Stop();
                              }});
  }
  // Runs the loop until the condition holds; 20 s at most.
  void Until(const std::function<bool()>& holds) {
    bool over = false;
    for (; !holds() && !over;) {
      const auto timer = loop_.RunAfter(20'000, [&] {
        over = true;
        loop_.Stop();
      });
      loop_.Run();
      loop_.Cancel(timer);
    }
    ASSERT_TRUE(holds()) << "did not come about in 20 s";
  }
  void Append(const std::string& text) { std::ofstream(path(), std::ios::app) << text; }
  std::string path() const { return tree_.root() + "/dev/kmsg"; }
  std::string Codes() const {
    std::string codes;
    for (const KernelEvent& event : events_) codes += (codes.empty() ? "" : " ") + event.match.code;
    return codes;
  }

  base::FixtureTree tree_;
  base::ThreadEventLoop loop_;
  std::vector<KernelEvent> events_;
  std::vector<KernelLogStatus> statuses_;
  std::unique_ptr<KernelLogSource> log_;
};

TEST_F(KernelLogTest, ReadsAFileFromItsBeginningAndThenItsTail) {
  Append(std::string(kXid79) + "\n6,12,5500000,-;usb 1-1: new device\n" + kXid31 + "\n");
  Open();
  Until([&] { return events_.size() == 2; });
  EXPECT_EQ(Codes(), "nvidia.xid.79 nvidia.xid.31");
  EXPECT_EQ(events_[0].text, "NVRM: Xid (PCI:0000:41:00): 79, GPU has fallen off the bus.");
  EXPECT_EQ(events_[1].time_unix_ms - events_[0].time_unix_ms, 1'000);
  ASSERT_FALSE(statuses_.empty());
  EXPECT_TRUE(statuses_[0].readable);
  // A line in two pieces is one line.
  Append("3,13,7000000,-;NVRM: Xid (PCI:0000:41:00): ");
  Append("48, DBE\n");
  Until([&] { return events_.size() == 3; });
  EXPECT_EQ(events_[2].match.code, "nvidia.xid.48");
}

TEST_F(KernelLogTest, AFileThatBeginsAnewIsReadAnew) {
  Append(std::string(kXid79) + "\n" + kXid79 + "\n");
  Open();
  Until([&] { return events_.size() == 2; });
  std::ofstream(path(), std::ios::trunc) << kXid31 << "\n";
  Until([&] { return events_.size() == 3; });
  std::ofstream(path() + ".new") << kXid31 << "\n" << kXid31 << "\n" << kXid79 << "\n";
  std::filesystem::rename(path() + ".new", path());
  Until([&] { return events_.size() == 6; });
  EXPECT_EQ(Codes(), "nvidia.xid.79 nvidia.xid.79 nvidia.xid.31 nvidia.xid.31 nvidia.xid.31 nvidia.xid.79");
}

TEST_F(KernelLogTest, WhatProgramsWriteIsNotTheKernels) {
  Append("11,1,1000,-;NVRM: Xid (PCI:0000:41:00): 79, forged\n" + std::string(20'000, 'x') + "\n" + kXid31 + "\n");
  Open();
  Until([&] { return !events_.empty(); });
  EXPECT_EQ(Codes(), "nvidia.xid.31");
}

TEST_F(KernelLogTest, SaysThatItCannotBeRead) {
  Open();
  Until([&] { return !statuses_.empty(); });
  EXPECT_FALSE(statuses_[0].readable);
  EXPECT_NE(statuses_[0].problem.find("/dev/kmsg: No such file"), std::string::npos) << statuses_[0].problem;
  Append(std::string(kXid79) + "\n");
  Until([&] { return events_.size() == 1 && statuses_.size() == 2; });
  EXPECT_TRUE(statuses_[1].readable);
}

// What is no plain file is read as the device is: one record a read. A packet pipe gives just that.
TEST_F(KernelLogTest, ReadsADeviceRecordByRecord) {
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  const int writer = open(path().c_str(), O_RDWR | O_NONBLOCK);
  ASSERT_GE(writer, 0);
  ASSERT_EQ(fcntl(writer, F_SETFL, O_DIRECT | O_NONBLOCK), 0);  // Packets.
  const auto write_record = [&](const std::string& record) {
    ASSERT_EQ(write(writer, record.data(), record.size()), static_cast<ssize_t>(record.size()));
  };
  write_record(std::string(kXid79) + "\n SUBSYSTEM=pci\n");
  Open();
  Until([&] { return events_.size() == 1; });
  const auto now_ms = [] { return absl::ToUnixMillis(absl::Now()); };
  EXPECT_LT(events_[0].time_unix_ms, now_ms() - 10'000) << "five seconds after the machine's start";
  write_record(std::string(kXid31) + "\n");
  Until([&] { return events_.size() == 2; });
  EXPECT_EQ(Codes(), "nvidia.xid.79 nvidia.xid.31");
  // It came while the log was watched: it is of that moment, whatever its clock says.
  EXPECT_GT(events_[1].time_unix_ms, now_ms() - 10'000);
  EXPECT_LE(events_[1].time_unix_ms, now_ms());
  close(writer);
}

TEST_F(KernelLogTest, AFloodWaitsForTheLoop) {
  std::string flood;
  for (int i = 0; i < 20'000; ++i) flood += std::string(kXid31) + "\n";
  Append(flood);
  Open();
  Until([&] { return events_.size() == 20'000; });
  EXPECT_EQ(events_.back().match.code, "nvidia.xid.31");
}

TEST_F(KernelLogTest, EndsWhileItIsHeldUp) {
  std::string flood;
  for (int i = 0; i < 20'000; ++i) flood += std::string(kXid31) + "\n";
  Append(flood);
  Open();
  Until([&] { return !events_.empty(); });
  const size_t before = events_.size();
  log_.reset();
  loop_.Post([this] { loop_.Stop(); });
  loop_.Run();
  EXPECT_EQ(events_.size(), before) << "nothing is delivered after the end";
}

}  // namespace
}  // namespace muster::agent
