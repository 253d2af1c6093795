// What the driver's API promises to a program, seen from one process: order, memory, modules, limits and refusals.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "suites/driver/machine.h"
#include "suites/driver/requirement.h"
#include "suites/physical/allocations.h"
#include "suites/physical/api_calls.h"
#include "suites/physical/open_device.h"
#include "suites/physical/queue_order.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"

namespace muster::driver {
namespace {

constexpr double kKept = static_cast<double>(physical::kKeptByDriverBytes);

int Level() { return sdk::Session::Current().environment().level; }
uint64_t Seed() { return static_cast<uint64_t>(sdk::Parameter<int64_t>("seed")); }
physical::ApiInjection Injection() { return physical::ApiInjection(sdk::Parameter<std::string>("inject_api")); }

void Tell(const std::vector<std::string>& problems) {
  for (const std::string& problem : problems) ADD_FAILURE() << problem;
}

TEST(api, event_order) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    const bool quick = Level() == 1;
    const auto report = physical::RunQueueOrder(
        *gpu, {.queues = quick ? 8u : 16u, .rounds = quick ? 64u : 256u, .seed = Seed(), .injection = Injection()});
    Tell(report.problems);
    sdk::Measure("api.event_order.steps", static_cast<double>(report.steps), "1");
    sdk::Measure("api.event_order.waits", static_cast<double>(report.waits), "1");
    sdk::Measure("api.event_order.steps_out_of_order", static_cast<double>(report.steps_out_of_order), "1")
        .ExpectEqual(0);
    sdk::ReportWork("iterations", static_cast<double>(report.steps));
  });
}

TEST(api, small_allocations) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    const auto report = physical::RunSmallAllocations(*gpu, Level() == 1 ? 5'000 : 100'000, Seed(), Injection());
    Tell(report.problems);
    const auto count = static_cast<double>(report.allocations);
    sdk::Measure("api.small_allocations.count", count, "1");
    sdk::Measure("api.small_allocations.bytes", static_cast<double>(report.bytes), "B");
    sdk::Measure("api.small_allocations.allocate", report.allocate_seconds / count, "s");
    sdk::Measure("api.small_allocations.free", report.free_seconds / count, "s");
    sdk::Measure("api.small_allocations.overlaps", static_cast<double>(report.overlaps), "1").ExpectEqual(0);
    sdk::Measure("api.small_allocations.wrong_vectors", static_cast<double>(report.wrong_vectors), "1").ExpectEqual(0);
    sdk::Measure("api.small_allocations.missing", static_cast<double>(report.bytes_missing), "B").AtMost(kKept);
    sdk::ReportWork("bytes", 2.0 * static_cast<double>(report.bytes));
  });
}

TEST(api, out_of_memory) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireMemoryOfItsOwn(device);
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    const auto report = physical::RunExhaustion(*gpu, Injection());
    Tell(report.problems);
    sdk::Measure("api.out_of_memory.free", static_cast<double>(report.free_bytes), "B");
    sdk::Measure("api.out_of_memory.taken", static_cast<double>(report.taken_bytes), "B");
    sdk::Measure("api.out_of_memory.missing", static_cast<double>(report.bytes_missing), "B").AtMost(kKept);
    sdk::ReportWork("iterations", 3);
  });
}

TEST(api, leak) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    const auto report = physical::RunLeak(*gpu, Level() == 1 ? 500 : 10'000, Injection());
    const auto cycles = static_cast<double>(report.cycles);
    sdk::Measure("api.leak.cycles", cycles, "1");
    sdk::Measure("api.leak.cycle", report.seconds / cycles, "s");
    sdk::Measure("api.leak.device_memory_lost", static_cast<double>(report.device_bytes_lost), "B").AtMost(kKept);
    sdk::Measure("api.leak.host_memory_grown", static_cast<double>(report.host_bytes_grown), "B").AtMost(kKept);
    sdk::Measure("api.leak.wrong_values", static_cast<double>(report.wrong_values), "1").ExpectEqual(0);
    sdk::ReportWork("iterations", cycles);
  });
}

TEST(api, module_file) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    Tell(physical::RunModuleFile(*gpu, testing::TempDir(), Injection()));
    sdk::ReportWork("iterations", 2);
  });
}

TEST(api, launch_errors) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    Tell(physical::RunLaunchErrors(*gpu, Injection()));
    sdk::ReportWork("iterations", 1);
  });
}

TEST(api, wait_limit) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    constexpr double kKernelSeconds = 0.05;
    constexpr double kLimitSeconds = 0.01;
    const auto report = physical::RunLimitedWait(*gpu, kKernelSeconds, kLimitSeconds, Injection());
    Tell(report.problems);
    sdk::Measure("api.wait_limit.limit", kLimitSeconds, "s");
    sdk::Measure("api.wait_limit.waited", report.waited_seconds, "s");
    sdk::ReportWork("iterations", 3);
  });
}

}  // namespace
}  // namespace muster::driver
