// Every unit of the device (a multiprocessor, an Xe core) by itself: the same work on each, judged by the host.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "suites/driver/requirement.h"
#include "suites/physical/open_device.h"
#include "suites/physical/unit_arithmetic.h"
#include "suites/physical/unit_exchange.h"
#include "suites/physical/unit_memory.h"
#include "suites/physical/unit_special.h"
#include "suites/physical/unit_sweep.h"
#include "suites/physical/unit_tensor.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"

namespace muster::driver {
namespace {

using physical::ComputeDevice;
using physical::UnitSweepReport;
using physical::UnitWork;

// Of sweeps, by level.
constexpr double kSeconds[] = {0.05, 0.5, 8, 60};

void ReportPaces(const std::string& name, const UnitSweepReport& report) {
  if (report.paces.empty()) return;
  const physical::UnitPace& slowest = report.paces.front();
  sdk::Measure(name + ".slowest_unit", slowest.unit, "1");
  const double floor = sdk::Parameter<double>("unit_pace_floor");
  sdk::Measure(name + ".slowest_unit_pace", slowest.share, "1").AtLeast(floor);
  for (const physical::UnitPace& pace : report.paces) {
    if (pace.share >= floor) break;
    ADD_FAILURE() << "slow: unit " << pace.unit << " ran " << pace.share << " of what the median unit ran";
  }
}

void Report(const std::string& name, const UnitSweepReport& report) {
  sdk::ReportWork("iterations", report.operations);
  for (const std::string& verdict : report.verdicts) ADD_FAILURE() << verdict;
  for (const std::string& wrong : report.wrong_common) ADD_FAILURE() << wrong;
  for (const physical::UnitError& error : report.errors) {
    const std::string place = physical::PlaceOf(error);
    ADD_FAILURE() << error.Describe() << (place.empty() ? "" : ": ") << place;
  }
  sdk::Measure(name + ".groups", static_cast<double>(report.groups), "1");
  sdk::Measure(name + ".wrong_groups", static_cast<double>(report.wrong_groups), "1").ExpectEqual(0);
  sdk::Measure(name + ".unnoticed_groups", static_cast<double>(report.unnoticed_groups), "1").ExpectEqual(0);
  sdk::Measure(name + ".device_time", report.seconds, "s");
  if (!report.names_units) {
    sdk::MeasureText(name + ".units", "not told apart");
    return;
  }
  sdk::Measure(name + ".coverage", static_cast<double>(report.units_seen) / report.units, "1").ExpectEqual(1);
  ReportPaces(name, report);
}

// By what each is reported under, after the case's name; none for the only one.
using UnitWorks = std::map<std::string, UnitWork>;

void Sweep(const std::string& name, ComputeDevice& gpu, const UnitWorks& works) {
  const int level = sdk::Session::Current().environment().level;
  for (const auto& [kind, work] : works) {
    Report(kind.empty() ? name : name + "." + kind,
           physical::SweepUnits(gpu, work,
                                {.seed = static_cast<uint64_t>(sdk::Parameter<int64_t>("seed")),
                                 .seconds = kSeconds[level - 1] / static_cast<double>(works.size()),
                                 .groups_per_unit = static_cast<uint32_t>(sdk::Parameter<int64_t>("unit_groups")),
                                 .least_groups = 1,
                                 .fault = physical::ParseUnitFault(sdk::Parameter<std::string>("inject_unit"))}));
  }
}

void RunUnitCase(const std::string& name, const std::function<UnitWorks(const physical::DeviceTraits&)>& works) {
  sdk::ForEachDevice([&](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    Sweep(name, *gpu, works(gpu->Traits()));
  });
}

TEST(compute, integer) {
  RunUnitCase("compute.integer", [](const auto&) { return UnitWorks{{"", physical::IntegerWork()}}; });
}

TEST(compute, float) {
  RunUnitCase("compute.float", [](const auto& traits) {
    UnitWorks works = {{"fp32", physical::FloatWork(traits.exact_division)}};
    if (traits.fp64) works["fp64"] = physical::DoubleWork();
    return works;
  });
}

TEST(compute, special) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    const auto document =
        device.vendor() == v1::VENDOR_NVIDIA ? physical::SpecialDocument::kCuda : physical::SpecialDocument::kOpenCl;
    physical::SpecialReport special;
    UnitWorks works = {{"fp32", physical::SpecialWork(*gpu, document, special)}};
    if (gpu->Traits().fp64) works["fp64"] = physical::SpecialDoubleWork(*gpu, document, special);
    Sweep("compute.special", *gpu, works);
    for (const std::string& wrong : special.wrong) ADD_FAILURE() << wrong;
    sdk::Measure("compute.special.wrong_values", static_cast<double>(special.wrong_values), "1").ExpectEqual(0);
    sdk::Measure("compute.special.disputed_values", static_cast<double>(special.disputed_values), "1").ExpectEqual(0);
    for (const auto& [function, ulp] : special.worst_ulp)
      sdk::Measure("compute.special.worst_ulp." + function, ulp, "1");
  });
}

TEST(compute, shuffle) {
  RunUnitCase("compute.shuffle", [](const auto& traits) {
    return UnitWorks{{"", physical::ShuffleWork(traits.shuffle_width)}};
  });
}

TEST(compute, reduction) {
  RunUnitCase("compute.reduction", [](const auto&) { return UnitWorks{{"", physical::ReductionWork()}}; });
}

TEST(compute, atomics) {
  RunUnitCase("compute.atomics", [](const auto& traits) {
    UnitWorks works = {{"bits32", physical::AtomicsWork()}};
    if (traits.atomics_64) works["bits64"] = physical::Atomics64Work();
    return works;
  });
}

// Groups of 512 lanes, of which a multiprocessor holds four or fewer: their windows fit into its first cache together,
// and those of a launch are more than any last cache.
constexpr uint32_t kFirstCacheWindow = 32 << 10;
constexpr uint32_t kLastCacheWindow = 128 << 10;

TEST(memory, shared) {
  RunUnitCase("memory.shared", [](const auto& traits) {
    const auto bytes = static_cast<uint32_t>(traits.local_memory_bytes);
    sdk::Measure("memory.shared.bytes_per_group", bytes, "B");
    return UnitWorks{{"", physical::SharedMemoryWork(bytes)}};
  });
}

TEST(memory, cache_tags) {
  RunUnitCase("memory.cache_tags", [](const auto&) {
    return UnitWorks{{"first", physical::CacheTagsWork(kFirstCacheWindow)},
                     {"last", physical::CacheTagsWork(kLastCacheWindow)}};
  });
}

TEST(compute, tensor_units) {
  RunUnitCase("compute.tensor_units", [](const auto& traits) {
    if (traits.figures.compute_major == 0)
      throw sdk::DeviceSkipped("its matrix units have no instructions in SPIR-V that every driver takes");
    return UnitWorks{{"", physical::TensorWork(traits.figures)}};
  });
}

}  // namespace
}  // namespace muster::driver
