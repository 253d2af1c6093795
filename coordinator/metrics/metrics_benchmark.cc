// How long a scrape of a large fleet takes: 1,000 machines with 8 GPUs each, 10 cases a GPU, 2 measurements a case.
#include <benchmark/benchmark.h>

#include <string>

#include "coordinator/metrics/metrics.h"

namespace muster::coordinator {
namespace {

void FillFleet(Metrics& metrics) {
  for (int m = 0; m < 1'000; ++m) {
    const std::string machine = "node-" + std::to_string(m);
    for (int d = 0; d < 8; ++d) {
      const std::string device = "GPU-00000000-0000-0000-" + std::to_string(m) + "-" + std::to_string(d);
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
  size_t bytes = 0;
  for (auto _ : state) bytes = metrics.Text().size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_Scrape)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace muster::coordinator

BENCHMARK_MAIN();
