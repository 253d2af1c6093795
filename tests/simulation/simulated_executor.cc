#include "tests/simulation/simulated_executor.h"

#include <algorithm>
#include <utility>

namespace muster::simulation {

absl::Status SimulatedExecutor::Start(const v1::JobRef& ref, const v1::JobSpec& spec) {
  if (scene_.random.OneIn(40)) return absl::InvalidArgumentError("the manifest on this machine is another");
  if (scene_.random.OneIn(60)) return absl::InternalError("no process could be started");
  std::set<std::string> devices(spec.device_ids().begin(), spec.device_ids().end());
  for (const auto& [other, job] : jobs_) {
    if (other.job_id() == ref.job_id()) scene_.Wrong(absl::StrCat("two attempts of ", ref.job_id(), " run at once"));
    for (const std::string& device : devices) {
      if (job.devices.contains(device))
        scene_.Wrong(absl::StrCat(device, " serves ", ref.job_id(), " and ", other.job_id()));
    }
  }
  if (const std::string wrong = scene_.truth.Started(ref); !wrong.empty()) scene_.Wrong(wrong);
  scene_.Trace("machine ", machine_, ": starts ", ref.job_id(), " attempt ", ref.attempt(), " epoch ", ref.epoch());
  jobs_[ref] = {.script = MakeScript(spec), .devices = std::move(devices)};
  StepLater(ref, scene_.random.Between(1, 50));
  return absl::OkStatus();
}

std::deque<v1::Event> SimulatedExecutor::MakeScript(const v1::JobSpec& spec) {
  Random& random = scene_.random;
  std::deque<v1::Event> script;
  script.emplace_back().mutable_job_started()->set_pid(1);
  for (const std::string& name : spec.cases()) {
    script.emplace_back().mutable_case_started()->set_case_name(name);
    const int64_t measurements = random.Between(0, random.OneIn(10) ? 40 : 4);
    for (int64_t i = 0; i < measurements; ++i) {
      script.emplace_back().mutable_measurement()->set_name("rate");
      if (random.OneIn(4))
        script.emplace_back().mutable_log()->set_data(std::string(static_cast<size_t>(random.Between(1, 3'000)), 'l'));
    }
    v1::CaseResult& result = *script.emplace_back().mutable_case_finished();
    result.set_case_name(name);
    result.set_outcome(random.OneIn(8) ? v1::FAILED : v1::PASSED);
    result.set_work(1);
  }
  script.emplace_back().mutable_job_finished()->set_fate(v1::FATE_COMPLETED);
  return script;
}

void SimulatedExecutor::Cancel(const v1::JobRef& ref, std::string_view) {
  const auto found = jobs_.find(ref);
  if (found == jobs_.end() || found->second.cancelled) return;
  scene_.Trace("machine ", machine_, ": cancels ", ref.job_id(), " epoch ", ref.epoch());
  Job& job = found->second;
  job.cancelled = true;
  // What it had said already may still come.
  while (job.script.size() > static_cast<size_t>(scene_.random.Between(0, 3))) job.script.pop_back();
  job.script.emplace_back().mutable_job_finished()->set_fate(v1::FATE_CANCELLED);
  job.end_not_before_ms = scene_.random.OneIn(3) ? scene_.now_ms() + scene_.random.Between(0, 6'000) : 0;
}

void SimulatedExecutor::StepLater(const v1::JobRef& ref, int64_t delay_ms) {
  scene_.After(delay_ms, [this, ref, alive = alive_] {
    if (*alive) Step(ref);
  });
}

// One event, or a few at once.
void SimulatedExecutor::Step(const v1::JobRef& ref) {
  for (int64_t left = scene_.random.Between(1, 4); left > 0; --left) {
    Job& job = jobs_.at(ref);
    if (job.script.size() == 1 && scene_.now_ms() < job.end_not_before_ms) {
      StepLater(ref, job.end_not_before_ms - scene_.now_ms());
      return;
    }
    v1::Event event = std::move(job.script.front());
    job.script.pop_front();
    event.set_time_unix_ms(scene_.loop.Now().unix_ms);
    const bool last = event.has_job_finished();
    scene_.truth.Emit(ref, machine_, event);
    if (last) jobs_.erase(ref);
    sink_(ref, std::move(event));
    if (last) return;
  }
  StepLater(ref, scene_.random.OneIn(6) ? scene_.random.Between(0, 3'000) : scene_.random.Between(0, 200));
}

}  // namespace muster::simulation
