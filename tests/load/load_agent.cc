#include "tests/load/load_agent.h"

#include <algorithm>
#include <utility>

namespace muster::load {
namespace {

// JobStarted, CaseStarted, the measurements, CaseFinished, JobFinished.
constexpr uint64_t kEventsBeside = 4;

v1::Hello MakeHello(const std::string& name) {
  v1::Hello hello;
  hello.set_protocol_version(1);
  hello.set_agent_instance("load");
  v1::Machine& machine = *hello.mutable_machine();
  machine.set_name(name);
  machine.set_host_name(name);
  machine.set_machine_id(name);
  machine.set_boot_id("load");
  (*machine.mutable_labels())["name"] = name;
  (*machine.mutable_labels())["load"] = "true";
  v1::SuiteManifest& suite = *hello.add_suites();
  suite.set_name("load");
  suite.set_version("1");
  suite.set_program("load");
  suite.set_format(v1::RESULT_FORMAT_OCPTV);
  suite.set_device_scope(v1::DEVICE_SCOPE_MACHINE);
  v1::Case& test_case = *suite.add_cases();
  test_case.set_name("load.measurements");
  test_case.set_level(v1::LEVEL_QUICK);
  test_case.set_time_limit_ms(600'000);
  return hello;
}

}  // namespace

LoadAgent::LoadAgent(std::shared_ptr<grpc::Channel> channel, LoadAgentOptions options)
    : options_(std::move(options)), stub_(v1::AgentService::NewStub(std::move(channel))) {}

LoadAgent::~LoadAgent() { Disconnect(); }

void LoadAgent::Connect() {
  {
    base::MutexLock lock(mutex_);
    done_ = false;
    v1::AgentMessage hello;
    *hello.mutable_hello() = MakeHello(options_.name);
    out_.push_back(std::move(hello));
    QueueState();
  }
  stub_->async()->Session(&context_, this);
  StartRead(&in_);
  AddHold();
  StartCall();
  base::MutexLock lock(mutex_);
  MaybeWrite();
}

void LoadAgent::Disconnect() {
  base::MutexLock lock(mutex_);
  if (!done_) context_.TryCancel();
  closing_ = true;
  MaybeWrite();
  while (!done_) done_changed_.Wait(mutex_);
}

std::string LoadAgent::error() const {
  base::MutexLock lock(mutex_);
  return error_;
}

void LoadAgent::OnReadDone(bool ok) {
  base::MutexLock lock(mutex_);
  if (!ok) {
    closing_ = true;
    MaybeWrite();
    return;
  }
  if (in_.has_welcome()) welcomed_ = true;
  for (const v1::Directive& directive : in_.directives().directives()) OnDirective(directive);
  for (const v1::Ack& ack : in_.acks().acks()) OnAck(ack);
  in_.Clear();
  StartRead(&in_);
  MaybeWrite();
}

void LoadAgent::OnDirective(const v1::Directive& directive) {
  if (directive.action() != v1::Directive::RUN || directive.spec().cases().empty()) return;
  const auto same = [&](const Report& report) { return report.ref.epoch() == directive.ref().epoch(); };
  if (std::any_of(reports_.begin(), reports_.end(), same)) return;
  reports_.push_back(
      {.ref = directive.ref(), .case_name = directive.spec().cases(0), .last = options_.measurements + kEventsBeside});
  QueueState();
}

void LoadAgent::OnAck(const v1::Ack& ack) {
  for (Report& report : reports_) {
    if (report.ref.epoch() != ack.ref().epoch() || ack.through_sequence() <= report.acked) continue;
    acked_events_ += ack.through_sequence() - report.acked;
    report.acked = ack.through_sequence();
    if (report.acked == report.last) ++jobs_done_;
  }
  while (!reports_.empty() && reports_.front().acked == reports_.front().last) reports_.pop_front();
}

void LoadAgent::OnWriteDone(bool ok) {
  base::MutexLock lock(mutex_);
  writing_ = false;
  out_.pop_front();
  if (!ok) {
    out_.clear();
    closing_ = true;
  }
  MaybeWrite();
}

void LoadAgent::OnDone(const grpc::Status& status) {
  base::MutexLock lock(mutex_);
  if (!status.ok()) error_ = status.error_message();
  done_ = true;
  done_changed_.NotifyAll();
}

void LoadAgent::MaybeWrite() {
  if (writing_ || released_ || done_) return;
  if (!closing_ && (!out_.empty() || FillBatch())) {
    writing_ = true;
    StartWrite(&out_.front());
    return;
  }
  if (closing_) {
    released_ = true;
    RemoveHold();
  }
}

// Puts the next batch that the window allows into out_.
bool LoadAgent::FillBatch() {
  for (Report& report : reports_) {
    const uint64_t room = options_.window - std::min(options_.window, report.next - 1 - report.acked);
    const uint64_t count = std::min<uint64_t>({room, options_.batch_size, report.last + 1 - report.next});
    if (count == 0) continue;
    v1::EventBatch& batch = *out_.emplace_back().mutable_events();
    *batch.mutable_ref() = report.ref;
    batch.mutable_events()->Reserve(static_cast<int>(count));
    for (uint64_t i = 0; i < count; ++i) FillEvent(report.next++, report, *batch.add_events());
    return true;
  }
  return false;
}

void LoadAgent::FillEvent(uint64_t sequence, const Report& report, v1::Event& event) const {
  event.set_sequence(sequence);
  event.set_time_unix_ms(1'800'000'000'000 + static_cast<int64_t>(sequence));
  if (sequence == 1) {
    event.mutable_job_started()->set_suite_version("1");
  } else if (sequence == 2) {
    event.mutable_case_started()->set_case_name(report.case_name);
  } else if (sequence == report.last) {
    event.mutable_job_finished()->set_fate(v1::FATE_COMPLETED);
    event.mutable_job_finished()->set_exit_code(0);
  } else if (sequence == report.last - 1) {
    v1::CaseResult& result = *event.mutable_case_finished();
    result.set_case_name(report.case_name);
    result.set_outcome(v1::PASSED);
    result.set_started_unix_ms(1'800'000'000'000);
    result.set_duration_ms(1);
  } else {
    v1::Measurement& measurement = *event.mutable_measurement();
    measurement.set_name("temperature");
    measurement.set_number(40.0 + static_cast<double>(sequence % 40));
    measurement.set_unit("Cel");
    measurement.set_case_name(report.case_name);
    measurement.set_time_unix_ms(event.time_unix_ms());
    measurement.set_valid(true);
  }
}

void LoadAgent::QueueState() {
  v1::AgentMessage message;
  v1::AgentState& state = *message.mutable_state();
  for (const Report& report : reports_) {
    v1::HeldAttempt& held = *state.add_attempts();
    *held.mutable_ref() = report.ref;
    held.set_phase(v1::HeldAttempt::RUNNING);
    held.set_last_sequence(report.next - 1);
    held.set_acked_sequence(report.acked);
  }
  out_.push_back(std::move(message));
}

}  // namespace muster::load
