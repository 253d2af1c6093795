#include "coordinator/fleet/fleet_table.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

class FleetTableTest : public ::testing::Test {
 protected:
  static v1::Hello Hello(const std::string& name) {
    v1::Hello hello;
    hello.set_protocol_version(1);
    hello.mutable_machine()->set_name(name);
    return hello;
  }
  v1::Refusal::Code Say(uint64_t session, const v1::Hello& hello) {
    return fleet_.Hello(session, hello, now_, replaced_).code();
  }
  FleetTable fleet_{{}};
  base::Time now_{.mono_ms = 1, .unix_ms = 1'800'000'000'000};
  uint64_t replaced_ = 0;
};

TEST_F(FleetTableTest, AMachineIsInItsNewestSession) {
  fleet_.Open(1, "m1");
  EXPECT_EQ(fleet_.MachineOf(1), nullptr);
  EXPECT_EQ(Say(1, Hello("m1")), v1::Refusal::CODE_UNSPECIFIED);
  EXPECT_EQ(replaced_, 0u);
  EXPECT_EQ(fleet_.MachineOf(1), fleet_.Find("m1"));
  fleet_.Open(2, "m1");
  EXPECT_EQ(Say(2, Hello("m1")), v1::Refusal::CODE_UNSPECIFIED);
  EXPECT_EQ(replaced_, 1u);
  EXPECT_EQ(fleet_.MachineOf(1), nullptr);
  fleet_.Close(1, now_);
  EXPECT_EQ(fleet_.connected(), 1u);
  fleet_.Close(2, now_);
  EXPECT_EQ(fleet_.connected(), 0u);
  EXPECT_EQ(fleet_.TakeChanges().size(), 1u);
  EXPECT_TRUE(fleet_.TakeChanges().empty());
}

TEST_F(FleetTableTest, BadHellosAreRefused) {
  fleet_.Open(1, "m1");
  EXPECT_EQ(Say(1, Hello("m2")), v1::Refusal::NAME_MISMATCH);
  v1::Hello hello = Hello("m1");
  hello.set_protocol_version(0);
  EXPECT_EQ(Say(1, hello), v1::Refusal::PROTOCOL_VERSION);
  hello.set_protocol_version(3);
  EXPECT_EQ(Say(1, hello), v1::Refusal::PROTOCOL_VERSION);
  hello.set_protocol_version(2);  // The next release.
  EXPECT_EQ(Say(1, hello), v1::Refusal::CODE_UNSPECIFIED);
  hello.mutable_machine()->add_devices()->set_id("g");
  hello.mutable_machine()->add_devices()->set_id("g");
  EXPECT_EQ(Say(1, hello), v1::Refusal::MALFORMED);
  for (int i = 0; i < FleetTable::kMaxDevices; ++i) hello.mutable_machine()->add_devices();
  EXPECT_EQ(Say(1, hello), v1::Refusal::TOO_LARGE);
}

TEST_F(FleetTableTest, OnlyDevicesThatAreServedAreUsable) {
  v1::Hello hello = Hello("m1");
  for (int state = 0; state <= 4; ++state) {
    v1::Device& device = *hello.mutable_machine()->add_devices();
    device.set_id(std::to_string(state));
    device.set_driver_state(static_cast<v1::DriverState>(state));
  }
  fleet_.Open(1, "m1");
  Say(1, hello);
  EXPECT_EQ(fleet_.devices(), 5u);
  EXPECT_THAT(fleet_.Find("m1")->UsableDevices(), ::testing::ElementsAre("0", "1"));
}

TEST_F(FleetTableTest, AnEnrolledMachineIsThereBeforeItSpeaks) {
  fleet_.Enrol("m1", now_);
  ASSERT_NE(fleet_.Find("m1"), nullptr);
  EXPECT_FALSE(fleet_.Find("m1")->known());
  EXPECT_EQ(fleet_.Find("m1")->record.enrolled_unix_ms, now_.unix_ms);
}

}  // namespace
}  // namespace muster::coordinator
