// Matrix products with one right answer, in every type that the device's matrix units have.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "suites/driver/requirement.h"
#include "suites/physical/golden_gemm.h"
#include "suites/physical/open_device.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"

namespace muster::driver {
namespace {

using physical::GoldenReport;
using sdk::MatrixType;

// Of checked products, by level.
constexpr double kSeconds[] = {0.25, 2, 30, 600};

// Types by compute capability: CUDA's programming guide, "Tensor cores". Without one the library has no algorithm, or
// another unit does the work.
bool HasUnits(const sdk::GpuFigures& gpu, MatrixType type) {
  if (gpu.compute_major == 0) return true;  // Not NVIDIA's: the engine says what it cannot.
  const int capability = gpu.compute_major * 10 + gpu.compute_minor;
  if (type == MatrixType::kBf16 || type == MatrixType::kTf32) return capability >= 80;
  return type != MatrixType::kFp8 || capability >= 89;
}

// The check reads each entry once, the product works on it `size` times: the larger, the less the check costs.
uint32_t SizeFor(MatrixType type, uint64_t free_bytes) {
  const auto wanted = static_cast<uint32_t>(sdk::Parameter<int64_t>("gemm_size"));
  if (wanted != 0) return wanted;
  const bool short_type = type != MatrixType::kFp64 && type != MatrixType::kFp32 && type != MatrixType::kTf32;
  return short_type && free_bytes >= 8ull << 30 ? 16384 : 8192;
}

void Report(const std::string& name, const GoldenReport& report) {
  sdk::ReportWork("flop", report.operations);
  sdk::Measure(name + ".products", static_cast<double>(report.products), "1");
  sdk::Measure(name + ".wrong_rows", static_cast<double>(report.wrong_rows), "1").ExpectEqual(0);
  sdk::Measure(name + ".strips_not_whole", static_cast<double>(report.strips_not_whole), "1").ExpectEqual(0);
  for (const physical::GoldenError& error : report.errors) ADD_FAILURE() << error.Describe();
  sdk::MeasureText(name + ".digest", absl::StrCat(absl::Hex(report.digest, absl::kZeroPad16)));
  sdk::Measure(name + ".checked", report.checked_per_second, "FLOP/s");
  sdk::Measure(name + ".unchecked", report.unchecked_per_second, "FLOP/s");
  if (report.unchecked_per_second > 0) {
    sdk::Measure(name + ".checked_share", report.checked_per_second / report.unchecked_per_second, "1")
        .AtLeast(sdk::Parameter<double>("gemm_floor"));
  }
}

void RunGoldenCase(MatrixType type) {
  sdk::ForEachDevice([type](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    const std::string name = "compute.golden_" + physical::MatrixTypeName(type);
    if (!HasUnits(gpu->Traits().figures, type))
      throw sdk::DeviceSkipped("this GPU has no units for " + physical::MatrixTypeName(type));
    const auto engine = physical::OpenMatrixEngine(*gpu, type);
    const int level = sdk::Session::Current().environment().level;
    const GoldenReport report = physical::RunGolden(
        *gpu, *engine,
        {.type = type,
         .size = SizeFor(type, gpu->FreeBytes()),
         .seed = static_cast<uint64_t>(sdk::Parameter<int64_t>("seed")),
         .seconds = kSeconds[level - 1],
         .injection = physical::ParseGoldenInjection(sdk::Parameter<std::string>("inject_gemm"), type)});
    if (!report.unsupported.empty()) throw sdk::DeviceSkipped(report.unsupported);
    sdk::MeasureText(name + ".library", engine->Name());
    Report(name, report);
  });
}

TEST(compute, golden_bf16) { RunGoldenCase(MatrixType::kBf16); }
TEST(compute, golden_fp16) { RunGoldenCase(MatrixType::kFp16); }
TEST(compute, golden_tf32) { RunGoldenCase(MatrixType::kTf32); }
TEST(compute, golden_fp32) { RunGoldenCase(MatrixType::kFp32); }
TEST(compute, golden_fp64) { RunGoldenCase(MatrixType::kFp64); }
TEST(compute, golden_int8) { RunGoldenCase(MatrixType::kInt8); }
TEST(compute, golden_fp8) { RunGoldenCase(MatrixType::kFp8); }

}  // namespace
}  // namespace muster::driver
