// Device memory as a whole: every byte that can be had, written and read back.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "suites/driver/error_counters.h"
#include "suites/driver/machine.h"
#include "suites/physical/memory_march.h"
#include "suites/physical/open_device.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/environment.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"
#include "suites/sdk/timing.h"

namespace muster::driver {
namespace {

using physical::MarchElement;
using physical::MarchReport;

// Of what the GPU has; the rest is the driver's.
constexpr double kCoverageFloor = 0.95;
constexpr uint64_t kCopyBytes = 8ull << 30;
constexpr size_t kErrorsShown = 8;

void ReportRates(const MarchReport& report, double copy) {
  const double floor = sdk::SpeedsAreReal() ? sdk::Parameter<double>("march_floor") : 0;
  const struct {
    MarchElement element;
    const char* name;
  } kinds[] = {{MarchElement::kWrite, "memory.march.write_bandwidth"},
               {MarchElement::kVerify, "memory.march.verify_bandwidth"},
               {MarchElement::kVerifyWrite, "memory.march.verify_write_bandwidth"},
               {MarchElement::kMirror, "memory.march.move_bandwidth"}};
  sdk::Measure("memory.march.copy_bandwidth", copy, "B/s");
  for (const auto& [element, name] : kinds) {
    std::vector<double> rates;
    for (const MarchReport::Rate& rate : report.rates) {
      if (rate.element == element) rates.push_back(rate.bytes_per_second);
    }
    if (rates.empty()) continue;
    sdk::Measure(name, sdk::Median(rates), "B/s");
    sdk::Measure(absl::StrCat(name, ".share_of_copy"), sdk::Median(rates) / copy, "1").AtLeast(floor);
  }
}

TEST(memory, march) {
  sdk::ForEachDevice([](const v1::Device& device) {
    RequireMemoryOfItsOwn(device);
    const ErrorCounters counters(device);
    const auto gpu = physical::OpenDevice(device);
    const double copy = physical::CopyBandwidth(*gpu, std::min(kCopyBytes, gpu->FreeBytes() / 2));
    const MarchReport report =
        physical::MarchMemory(*gpu, {.level = sdk::Session::Current().environment().level,
                                     .seed = static_cast<uint64_t>(sdk::Parameter<int64_t>("seed")),
                                     .fault = physical::ParseFault(sdk::Parameter<std::string>("inject"))});
    sdk::ReportWork("bytes", report.bytes_moved);
    sdk::Measure("memory.march.wrong_vectors", static_cast<double>(report.wrong_vectors), "1").ExpectEqual(0);
    for (size_t i = 0; i < std::min(kErrorsShown, report.errors.size()); ++i)
      ADD_FAILURE() << report.errors[i].Describe();
    counters.ReportChange("memory.march");
    sdk::Measure("memory.march.bytes_tested", static_cast<double>(report.bytes_tested), "B");
    sdk::Measure("memory.march.time", report.seconds, "s");
    sdk::Measure("memory.march.coverage",
                 static_cast<double>(report.bytes_tested) / static_cast<double>(device.memory_bytes()), "1")
        .AtLeast(kCoverageFloor);
    ReportRates(report, copy);
  });
}

}  // namespace
}  // namespace muster::driver
