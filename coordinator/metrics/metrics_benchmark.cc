// How long a scrape of a large fleet takes: 1,000 machines with 8 GPUs each, 10 cases a GPU, 2 measurements a case, one
// GPU of each machine unwell, 20 plans.
#include <benchmark/benchmark.h>

#include <string>

#include "coordinator/metrics/metrics.h"

namespace muster::coordinator {
namespace {

std::string DeviceId(int machine, int device) {
  return "GPU-00000000-0000-0000-" + std::to_string(machine) + "-" + std::to_string(device);
}

v1::MachineStatus MachineOf(const std::string& name, int machine) {
  v1::MachineStatus status;
  status.set_connected(true);
  status.set_last_seen_unix_ms(1'800'000'000'123);
  status.mutable_machine()->set_name(name);
  for (int d = 0; d < 8; ++d) {
    v1::Device& device = *status.mutable_machine()->add_devices();
    device.set_id(DeviceId(machine, d));
    device.set_uuid(device.id());
    device.set_vendor(v1::VENDOR_NVIDIA);
    device.set_model("NVIDIA H200");
    device.set_pci_address("0000:" + std::to_string(d) + "1:00.0");
    v1::DeviceHealth& health = *status.mutable_health()->add_devices();
    health.set_device_id(device.id());
    health.set_state(d == 0 ? v1::HEALTH_STATE_DEGRADED : v1::HEALTH_STATE_HEALTHY);
    if (d != 0) continue;
    for (const char* code : {"pcie.link-degraded", "thermal.throttling"}) {
      health.add_conditions()->set_code(code);
      health.mutable_conditions()->rbegin()->set_state(v1::HEALTH_STATE_DEGRADED);
    }
    status.add_quarantines()->set_device_id(device.id());
  }
  return status;
}

void FillPlans(Metrics& metrics) {
  for (int p = 0; p < 20; ++p) {
    v1::Run run;
    run.set_id("r-1");
    run.set_state(v1::RUN_STATE_FINISHED);
    run.set_colour(v1::GREEN);
    run.mutable_plan()->set_name("plan-" + std::to_string(p));
    for (int verdict = 1; verdict <= 12; ++verdict) {
      run.add_verdicts()->set_verdict(static_cast<v1::Verdict>(verdict));
      run.mutable_verdicts()->rbegin()->set_count(5);
    }
    metrics.RunEnded(run);
  }
}

void FillFleet(Metrics& metrics) {
  for (int m = 0; m < 1'000; ++m) {
    const std::string machine = "node-" + std::to_string(m);
    metrics.MachineChanged(MachineOf(machine, m));
    for (int d = 0; d < 8; ++d) {
      const std::string device = DeviceId(m, d);
      for (int c = 0; c < 10; ++c) {
        v1::CaseResult result;
        result.set_case_name("memory.case-" + std::to_string(c));
        result.set_verdict(v1::PASSED);
        metrics.Observe({.machine = machine, .device_id = device, .suite = "benchmark", .result = &result}, 1'000);
        for (int n = 0; n < 2; ++n) {
          v1::Measurement measurement;
          measurement.set_case_name(result.case_name());
          measurement.set_name("bandwidth." + std::to_string(n));
          measurement.set_unit("B/s");
          measurement.set_number(4.3e12 + m);
          metrics.Observe({.machine = machine, .device_id = device, .suite = "benchmark", .measurement = &measurement},
                          1'000);
        }
      }
    }
  }
}

void BM_Scrape(benchmark::State& state) {
  Metrics metrics;
  FillFleet(metrics);
  FillPlans(metrics);
  size_t bytes = 0;
  for (auto _ : state) bytes = metrics.Text().size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_Scrape)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace muster::coordinator

BENCHMARK_MAIN();
