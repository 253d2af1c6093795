// For the core's tests: a fleet, a store in memory that takes every batch, and shorthand for what agents say.
#ifndef MUSTER_COORDINATOR_CORE_CORE_FIXTURE_H_
#define MUSTER_COORDINATOR_CORE_CORE_FIXTURE_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/core/core.h"
#include "coordinator/store/memory_store_fake.h"
#include "gtest/gtest.h"

namespace muster::coordinator {

inline v1::Device Gpu(const std::string& id, v1::DriverState state = v1::DRIVER_STATE_READY) {
  v1::Device device;
  device.set_id(id);
  device.set_vendor(v1::VENDOR_NVIDIA);
  device.set_pci_address("0000:41:00.0");
  device.set_driver_state(state);
  (*device.mutable_labels())["vendor"] = "nvidia";
  if (state == v1::DRIVER_STATE_READY) {
    (*device.mutable_labels())["memory_gib"] = "80";
  } else {
    device.set_driver_problem("expected a kernel driver, found none: load the module nvidia");
  }
  return device;
}

// "bench": one job a device, cases "copy" (needs work) and "gemm", "soak" at level LONG, "reset" destructive.
inline v1::SuiteManifest BenchSuite(v1::DeviceScope scope = v1::DEVICE_SCOPE_ONE) {
  v1::SuiteManifest suite;
  suite.set_name("bench");
  suite.set_version("1");
  suite.set_program("bench");
  suite.set_format(v1::RESULT_FORMAT_OCPTV);
  suite.set_device_scope(scope);
  suite.set_requirement("vendor=nvidia,memory_gib>=16");
  v1::Case& copy = *suite.add_cases();
  copy.set_name("copy");
  copy.set_needs_gpu_work(true);
  suite.add_cases()->set_name("gemm");
  v1::Case& soak = *suite.add_cases();
  soak.set_name("soak");
  soak.set_level(v1::LEVEL_LONG);
  v1::Case& reset = *suite.add_cases();
  reset.set_name("reset");
  reset.set_destructive(true);
  v1::Parameter& size = *suite.add_parameters();
  size.set_name("size");
  size.mutable_integer()->set_default_value(8);
  size.mutable_integer()->set_maximum(100);
  return suite;
}

inline v1::SuiteManifest HostSuite() {
  v1::SuiteManifest suite;
  suite.set_name("host");
  suite.set_version("1");
  suite.set_program("host");
  suite.set_format(v1::RESULT_FORMAT_OCPTV);
  suite.set_device_scope(v1::DEVICE_SCOPE_MACHINE);
  suite.add_cases()->set_name("kernel");
  return suite;
}

inline v1::Plan PlanFor(const std::vector<std::string>& suites) {
  v1::Plan plan;
  plan.set_name("test");
  for (const std::string& suite : suites) plan.add_suites()->set_suite(suite);
  return plan;
}

inline v1::Event EndEvent(uint64_t sequence, v1::Fate fate = v1::FATE_COMPLETED) {
  v1::Event event;
  event.set_sequence(sequence);
  event.mutable_job_finished()->set_fate(fate);
  return event;
}
inline v1::Event ResultEvent(uint64_t sequence, const std::string& name, v1::Verdict outcome = v1::PASSED) {
  v1::Event event;
  event.set_sequence(sequence);
  event.mutable_case_finished()->set_case_name(name);
  event.mutable_case_finished()->set_outcome(outcome);
  event.mutable_case_finished()->set_work(1);
  return event;
}
inline v1::Event MeasurementEvent(uint64_t sequence, double number) {
  v1::Event event;
  event.set_sequence(sequence);
  event.mutable_measurement()->set_name("rate");
  event.mutable_measurement()->set_number(number);
  return event;
}

class CoreFixture : public ::testing::Test {
 protected:
  CoreFixture() { Restart(); }

  // As after kill -9: what was not committed is gone.
  void Restart() {
    core_ = std::make_unique<Core>(options_, *store_.Load(), now_, [this] { return ++random_; });
    core_->SetObserver(
        [this](const Observation& seen) { (seen.result != nullptr ? results_seen_ : measurements_seen_)++; });
    runs_.clear();
    sent_.clear();
  }

  void Flush() {
    Effects effects = core_->TakeEffects();
    ASSERT_TRUE(store_.Commit(effects.batch).ok());
    for (Effects::Message& message : effects.messages) Keep(message);
    warnings_.insert(warnings_.end(), effects.warnings.begin(), effects.warnings.end());
    changed_machines_.insert(effects.changed_machines.begin(), effects.changed_machines.end());
    for (const std::string& id : effects.wanted_runs) {
      if (absl::StatusOr<StoredRun> run = store_.ReadRun(id); run.ok()) core_->Restore(*std::move(run), now_);
    }
  }
  void Advance(int64_t ms) {
    now_.mono_ms += ms;
    now_.unix_ms += ms;
    core_->Tick(now_);
    Flush();
  }

  void Hello(SessionId session, const std::string& machine, const std::vector<v1::Device>& devices,
             const std::vector<v1::SuiteManifest>& suites = {BenchSuite(), HostSuite()}) {
    core_->SessionOpened(session, machine, now_);
    v1::AgentMessage message;
    v1::Hello& hello = *message.mutable_hello();
    hello.set_protocol_version(1);
    hello.mutable_machine()->set_name(machine);
    for (const v1::Device& device : devices) *hello.mutable_machine()->add_devices() = device;
    for (const v1::SuiteManifest& suite : suites) *hello.add_suites() = suite;
    core_->OnAgentMessage(session, message, now_);
    Flush();
  }
  void State(SessionId session, const std::vector<std::pair<v1::JobRef, v1::HeldAttempt::Phase>>& held = {}) {
    v1::AgentMessage message;
    message.mutable_state();
    for (const auto& [ref, phase] : held) {
      v1::HeldAttempt& attempt = *message.mutable_state()->add_attempts();
      *attempt.mutable_ref() = ref;
      attempt.set_phase(phase);
    }
    core_->OnAgentMessage(session, message, now_);
    Flush();
  }
  // Says how these devices are, and nothing of others.
  void Health(SessionId session, const std::map<std::string, v1::HealthState>& devices) {
    v1::AgentMessage message;
    message.mutable_health()->set_time_unix_ms(now_.unix_ms);
    for (const auto& [id, state] : devices) {
      v1::DeviceHealth& device = *message.mutable_health()->add_devices();
      device.set_device_id(id);
      device.set_state(state);
      device.set_since_unix_ms(now_.unix_ms);
      if (state == v1::HEALTH_STATE_HEALTHY) continue;
      v1::HealthCondition& condition = *device.add_conditions();
      condition.set_code("nvidia.xid.79");
      condition.set_state(state);
      condition.set_message("GPU has fallen off the bus");
    }
    core_->OnAgentMessage(session, std::move(message), now_);
    Flush();
  }
  void Connect(SessionId session, const std::string& machine, const std::vector<v1::Device>& devices) {
    Hello(session, machine, devices);
    State(session);
  }
  void Events(SessionId session, const v1::JobRef& ref, const std::vector<v1::Event>& events) {
    v1::AgentMessage message;
    *message.mutable_events()->mutable_ref() = ref;
    for (const v1::Event& event : events) *message.mutable_events()->add_events() = event;
    core_->OnAgentMessage(session, std::move(message), now_);
    Flush();
  }
  std::string Start(const v1::Plan& plan) {
    v1::StartRunRequest request;
    *request.mutable_plan() = plan;
    absl::StatusOr<v1::Run> run = core_->StartRun(request, "ann", now_);
    EXPECT_TRUE(run.ok()) << run.status();
    Flush();
    return run.ok() ? run->id() : "";
  }

  // What was said since the last look: RUN directives, others, acks.
  std::vector<v1::Directive> TakeRuns() { return std::exchange(runs_, {}); }
  std::vector<Effects::Message> TakeSent() { return std::exchange(sent_, {}); }
  bool WasDirected(v1::Directive::Action action, const v1::JobRef& ref) const {
    for (const Effects::Message& sent : sent_) {
      for (const v1::Directive& directive : sent.message.directives().directives()) {
        if (directive.action() == action && directive.ref().epoch() == ref.epoch()) return true;
      }
    }
    return false;
  }
  uint64_t AckedThrough(const v1::JobRef& ref) const {
    uint64_t through = 0;
    for (const Effects::Message& sent : sent_) {
      for (const v1::Ack& ack : sent.message.acks().acks()) {
        if (ack.ref().epoch() == ref.epoch()) through = ack.through_sequence();
      }
    }
    return through;
  }
  v1::Refusal::Code LastRefusal() const {
    v1::Refusal::Code code = v1::Refusal::CODE_UNSPECIFIED;
    for (const Effects::Message& sent : sent_) {
      if (sent.message.has_refusal()) code = sent.message.refusal().code();
    }
    return code;
  }
  // The verdicts of the job's newest attempt.
  std::map<std::string, v1::Verdict> VerdictsOf(const v1::Job& job) const {
    std::map<std::string, v1::Verdict> verdicts;
    if (job.attempts().empty()) return verdicts;
    for (const v1::CaseResult& r : job.attempts(job.attempts_size() - 1).results())
      verdicts[r.case_name()] = r.verdict();
    return verdicts;
  }

  CoreOptions options_;
  MemoryStoreFake store_;
  base::Time now_{.mono_ms = 1'000, .unix_ms = 1'800'000'000'000};
  uint64_t random_ = 0;
  std::unique_ptr<Core> core_;
  std::vector<v1::Directive> runs_;
  std::vector<Effects::Message> sent_;
  std::vector<std::string> warnings_;
  std::set<std::string> changed_machines_;
  int results_seen_ = 0;
  int measurements_seen_ = 0;

 private:
  void Keep(const Effects::Message& message) {
    sent_.push_back(message);
    for (const v1::Directive& directive : message.message.directives().directives()) {
      if (directive.action() == v1::Directive::RUN) runs_.push_back(directive);
    }
  }
};

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_CORE_CORE_FIXTURE_H_
