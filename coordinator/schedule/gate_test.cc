#include "coordinator/schedule/gate.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace muster::coordinator {
namespace {

using ::testing::HasSubstr;

v1::Job JobOn(const std::vector<std::string>& devices) {
  v1::Job job;
  for (const std::string& id : devices) job.mutable_spec()->add_device_ids(id);
  return job;
}

class GateTest : public ::testing::Test {
 protected:
  GateTest() {
    v1::Machine& machine = machine_.record.machine;
    machine.set_name("m1");
    for (const char* id : {"g0", "g1"}) {
      v1::Device& device = *machine.add_devices();
      device.set_id(id);
      device.set_model("H200");
      device.set_pci_address(std::string("0000:4") + id[1] + ":00.0");
    }
    machine_.session = 1;
    machine_.health_reported = true;
  }
  void Fail(const std::string& device) {
    v1::DeviceHealth& health = *machine_.record.health.add_devices();
    health.set_device_id(device);
    health.set_state(v1::HEALTH_STATE_FAILED);
    v1::HealthCondition& lesser = *health.add_conditions();
    lesser.set_code("thermal.throttling");
    lesser.set_state(v1::HEALTH_STATE_DEGRADED);
    v1::HealthCondition& condition = *health.add_conditions();
    condition.set_code("nvidia.xid.79");
    condition.set_state(v1::HEALTH_STATE_FAILED);
    condition.set_message("fallen off the bus");
  }
  void Quarantine(const std::string& device) {
    v1::Quarantine& quarantine = quarantines_.emplace_back();
    quarantine.set_machine("m1");
    quarantine.set_device_id(device);
    quarantine.set_reason("hot");
    quarantine.set_author("ann");
  }
  Gate::Decision Decide(const v1::Job& job) { return GateOf(machine_, quarantines_).Decide(job); }

  MachineEntry machine_;
  std::vector<v1::Quarantine> quarantines_;
};

TEST_F(GateTest, AHealthyMachineTakesAll) {
  EXPECT_EQ(Decide(JobOn({"g0", "g1"})).fate, v1::FATE_UNSPECIFIED);
  EXPECT_EQ(GateOf(machine_, {}), Gate());
}

TEST_F(GateTest, AQuarantinedMachineTakesNothingUnlessAsked) {
  Quarantine("");
  EXPECT_EQ(Decide(JobOn({})).fate, v1::FATE_QUARANTINED);
  EXPECT_EQ(Decide(JobOn({"g0"})).why, "machine m1 is in quarantine: hot (ann)");
  v1::Job job = JobOn({"g0"});
  job.set_diagnostic(true);
  EXPECT_EQ(Decide(job).fate, v1::FATE_QUARANTINED) << "a diagnosis too must be asked for";
  job.set_on_quarantined(true);
  EXPECT_EQ(Decide(job).fate, v1::FATE_UNSPECIFIED);
}

TEST_F(GateTest, AQuarantinedDeviceKeepsAwayWhatNeedsIt) {
  Quarantine("g1");
  EXPECT_EQ(Decide(JobOn({"g0"})).fate, v1::FATE_UNSPECIFIED);
  EXPECT_EQ(Decide(JobOn({})).fate, v1::FATE_UNSPECIFIED);
  const Gate::Decision whole = Decide(JobOn({"g0", "g1"}));
  EXPECT_EQ(whole.fate, v1::FATE_QUARANTINED);
  EXPECT_EQ(whole.why, "GPU 1 (H200 at 0000:41:00.0) of machine m1 is in quarantine: hot (ann)");
}

TEST_F(GateTest, AFailedDeviceTakesDiagnosesAlone) {
  Fail("g1");
  EXPECT_EQ(Decide(JobOn({"g0"})).fate, v1::FATE_UNSPECIFIED);
  EXPECT_EQ(Decide(JobOn({})).fate, v1::FATE_UNSPECIFIED);
  v1::Job job = JobOn({"g0", "g1"});
  EXPECT_EQ(Decide(job).fate, v1::FATE_WITHHELD);
  EXPECT_THAT(Decide(job).why, HasSubstr("GPU 1 (H200 at 0000:41:00.0) of machine m1 has FAILED: nvidia.xid.79, fallen "
                                         "off the bus; only suites that diagnose run on it"));
  job.set_on_quarantined(true);
  EXPECT_EQ(Decide(job).fate, v1::FATE_WITHHELD);
  job.set_diagnostic(true);
  EXPECT_EQ(Decide(job).fate, v1::FATE_UNSPECIFIED);
}

TEST_F(GateTest, QuarantineSpeaksFirst) {
  Fail("g0");
  Quarantine("g0");
  EXPECT_EQ(Decide(JobOn({"g0"})).fate, v1::FATE_QUARANTINED);
}

TEST_F(GateTest, WhatIsNotReportedNowIsNotKnownToHaveFailed) {
  Fail("g0");
  machine_.health_reported = false;
  EXPECT_EQ(Decide(JobOn({"g0"})).fate, v1::FATE_UNSPECIFIED);
  machine_.health_reported = true;
  machine_.session = 0;
  EXPECT_EQ(Decide(JobOn({"g0"})).fate, v1::FATE_UNSPECIFIED);
}

}  // namespace
}  // namespace muster::coordinator
