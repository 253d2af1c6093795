// simulation_test: runs worlds, one for each seed, and says what went wrong in which.
//
//   simulation_test [--seeds=N] [--first=N]       seeds FIRST to FIRST + N - 1, on all cores
//   simulation_test --seed=N [--trace]            one, with a line for all that happens
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "tests/simulation/world.h"

namespace {

using muster::simulation::Outcome;
using muster::simulation::World;

// The number behind `--name=`, or `otherwise`.
uint64_t Flag(int argc, char** argv, const std::string& name, uint64_t otherwise) {
  const std::string prefix = "--" + name + "=";
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], prefix.c_str(), prefix.size()) == 0)
      return std::strtoull(argv[i] + prefix.size(), nullptr, 10);
  }
  return otherwise;
}
bool HasFlag(int argc, char** argv, const char* flag) {
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], flag) == 0) return true;
  }
  return false;
}

void Print(uint64_t seed, const Outcome& outcome) {
  std::printf("seed %llu: %zu things are wrong; see all of it with: simulation_test --seed=%llu --trace\n",
              static_cast<unsigned long long>(seed), outcome.wrong.size(), static_cast<unsigned long long>(seed));
  for (const std::string& what : outcome.wrong) std::printf("  %s\n", what.c_str());
}

struct Totals {
  muster::base::Mutex mutex;
  uint64_t failed = 0, results = 0, faults = 0;
  int64_t simulated_ms = 0;
};

// Takes seeds until there are none, or too many failed.
void Work(std::atomic<uint64_t>& next, uint64_t end, Totals& totals) {
  for (uint64_t seed = next++; seed < end; seed = next++) {
    const Outcome outcome = World(seed, false).Run();
    muster::base::MutexLock lock(totals.mutex);
    totals.results += outcome.results;
    totals.faults += outcome.faults;
    totals.simulated_ms += outcome.simulated_ms;
    if (outcome.wrong.empty()) continue;
    Print(seed, outcome);
    if (++totals.failed >= 10) next = end;
  }
}

}  // namespace

int main(int argc, char** argv) {
  muster::base::SetLogLevel(muster::base::LogLevel::kError);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (const uint64_t seed = Flag(argc, argv, "seed", 0); seed != 0) {
    const Outcome outcome = World(seed, HasFlag(argc, argv, "--trace")).Run();
    if (!outcome.wrong.empty()) Print(seed, outcome);
    return outcome.wrong.empty() ? 0 : 1;
  }
  const uint64_t first = Flag(argc, argv, "first", 1);
  const uint64_t count = Flag(argc, argv, "seeds", 10'000);
  const auto start = std::chrono::steady_clock::now();
  std::atomic<uint64_t> next = first;
  Totals totals;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
    threads.emplace_back([&] { Work(next, first + count, totals); });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%llu seeds: %llu faults, %llu results, %.0f simulated hours in %.1f s; %llu seeds failed\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(totals.faults),
              static_cast<unsigned long long>(totals.results), static_cast<double>(totals.simulated_ms) / 3.6e6,
              seconds, static_cast<unsigned long long>(totals.failed));
  return totals.failed == 0 ? 0 : 1;
}
