// Matrix products with one right answer, in every type that the device's matrix units have.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "suites/driver/requirement.h"
#include "suites/physical/golden_gemm.h"
#include "suites/physical/open_device.h"
#include "suites/physical/unit_tensor.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/session.h"

namespace muster::driver {
namespace {

using physical::GoldenReport;
using physical::MatrixProduct;
using sdk::MatrixType;

// Of checked products, by level.
constexpr double kSeconds[] = {0.08, 0.6, 7, 300};
constexpr double kPlainSeconds[] = {0.08, 0.3, 2, 60};

// Few enough operations that a product takes some milliseconds on a large GPU, and so deep that the check, which reads
// c once, is a hundredth of it.
MatrixProduct ProductOf(MatrixType type, bool matrix_units) {
  if (!matrix_units)
    return {.type = type, .rows = 4096, .columns = 4096, .depth = type == MatrixType::kFp64 ? 2048u : 4096u};
  switch (type) {
    case MatrixType::kFp64:
    case MatrixType::kFp32:
      return {.type = type, .rows = 4096, .columns = 4096, .depth = 8192};
    case MatrixType::kTf32:
      return {.type = type, .rows = 8192, .columns = 8192, .depth = 32768};
    case MatrixType::kFp16:
    case MatrixType::kBf16:
      return {.type = type, .rows = 8192, .columns = 8192, .depth = 65536};
    default:
      return {.type = type, .rows = 8192, .columns = 8192, .depth = 131072};
  }
}

// As the parameters want it, and not more than half of the free memory.
MatrixProduct ProductFor(MatrixType type, bool matrix_units, uint64_t free_bytes) {
  MatrixProduct product = ProductOf(type, matrix_units);
  const auto size = static_cast<uint32_t>(sdk::Parameter<int64_t>("gemm_size"));
  const auto depth = static_cast<uint32_t>(sdk::Parameter<int64_t>("gemm_depth"));
  if (size != 0) product.rows = product.columns = product.depth = size;
  if (depth != 0) product.depth = depth;
  const auto bytes = [&] { return product.BytesOfA() + product.BytesOfB() + product.BytesOfC(); };
  while (size == 0 && depth == 0 && bytes() > free_bytes / 2 && product.depth > 1024) product.depth /= 2;
  product.trials = sdk::Session::Current().environment().level >= 2 ? 4 : 1;
  return product;
}

// Whose digest is reported: always the same, unless a smaller product was asked for.
uint32_t ReferenceSize() {
  constexpr uint32_t kUsual = 1024;
  const auto size = static_cast<uint32_t>(sdk::Parameter<int64_t>("gemm_size"));
  return size == 0 ? kUsual : std::min(size, kUsual);
}

void Report(const std::string& name, const GoldenReport& report, std::optional<double> peak) {
  sdk::ReportWork("flop", report.operations);
  sdk::Measure(name + ".products", static_cast<double>(report.products), "1");
  sdk::Measure(name + ".wrong_rows", static_cast<double>(report.wrong_rows), "1").ExpectEqual(0);
  sdk::Measure(name + ".strips_not_whole", static_cast<double>(report.strips_not_whole), "1").ExpectEqual(0);
  for (const physical::GoldenError& error : report.errors) ADD_FAILURE() << error.Describe();
  if (report.verdict != physical::GoldenVerdict::kNone) {
    ADD_FAILURE() << report.first_wrong << "; the same product again: " << report.wrong_retests << " of "
                  << report.retests << " wrong: " << physical::GoldenVerdictName(report.verdict);
  }
  sdk::MeasureText(name + ".digest", absl::StrCat(absl::Hex(report.digest, absl::kZeroPad16)));
  sdk::Measure(name + ".checked", report.checked_per_second, "FLOP/s");
  if (peak) sdk::Measure(name + ".share_of_peak", report.checked_per_second / *peak, "1");
  if (report.unchecked_per_second > 0) {
    sdk::Measure(name + ".unchecked", report.unchecked_per_second, "FLOP/s");
    // Of a tenth of a second the share is as much the clock's as the check's.
    const bool judged = sdk::Session::Current().environment().level > 1 && sdk::SpeedsAreReal();
    const double floor = judged ? sdk::Parameter<double>("gemm_floor") : 0;
    sdk::Measure(name + ".checked_share", report.compared_per_second / report.unchecked_per_second, "1").AtLeast(floor);
  }
}

// Which multiprocessor is at fault, where a product of the library was: each multiplies by itself.
void Localise(physical::ComputeDevice& gpu) {
  constexpr double kSeconds = 0.5;
  const physical::UnitSweepReport report =
      physical::SweepUnits(gpu, physical::TensorWork(gpu.Traits().figures),
                           {.seed = static_cast<uint64_t>(sdk::Parameter<int64_t>("seed")),
                            .seconds = kSeconds,
                            .fault = physical::ParseUnitFault(sdk::Parameter<std::string>("inject_unit"))});
  for (const std::string& verdict : report.verdicts) ADD_FAILURE() << "tensor units: " << verdict;
  for (const physical::UnitError& error : report.errors) ADD_FAILURE() << error.Describe();
  if (report.verdicts.empty()) {
    ADD_FAILURE() << "tensor units: each multiplies right by itself, " << report.units_seen << " of " << report.units
                  << " tried";
  }
}

void RunGolden(const std::string& name, physical::ComputeDevice& gpu, physical::MatrixEngine& engine, MatrixType type,
               const double (&seconds)[4]) {
  const int level = sdk::Session::Current().environment().level;
  const GoldenReport report = physical::RunGolden(
      gpu, engine,
      {.product = ProductFor(type, engine.UsesMatrixUnits(), gpu.FreeBytes()),
       .seed = static_cast<uint64_t>(sdk::Parameter<int64_t>("seed")),
       .seconds = seconds[level - 1],
       .products_per_round = level == 1 ? 4u : 8u,
       .reference_size = ReferenceSize(),
       .host_expects_all = level >= 3,
       .injection = physical::ParseGoldenInjection(sdk::Parameter<std::string>("inject_gemm"), type)});
  if (!report.unsupported.empty()) throw sdk::DeviceSkipped(report.unsupported);
  sdk::MeasureText(name + ".library", engine.Name());
  if (report.verdict != physical::GoldenVerdict::kNone && engine.UsesMatrixUnits()) Localise(gpu);
  Report(name, report, engine.UsesMatrixUnits() ? sdk::MatrixPeak(gpu.Traits().figures, type) : std::nullopt);
}

void RunGoldenCase(MatrixType type) {
  sdk::ForEachDevice([type](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    const auto engine = physical::OpenMatrixEngine(*gpu, type);
    if (engine->UsesMatrixUnits() && !sdk::HasMatrixUnits(gpu->Traits().figures, type))
      throw sdk::DeviceSkipped("this GPU has no units for " + physical::MatrixTypeName(type));
    RunGolden("compute.golden_" + physical::MatrixTypeName(type), *gpu, *engine, type, kSeconds);
  });
}

void RunPlainCase(MatrixType type) {
  sdk::ForEachDevice([type](const v1::Device& device) {
    RequireDriver(device);
    const auto gpu = physical::OpenDevice(device);
    const auto engine = physical::MakePlainEngine(*gpu);
    RunGolden("compute.plain_" + physical::MatrixTypeName(type), *gpu, *engine, type, kPlainSeconds);
  });
}

TEST(compute, golden_bf16) { RunGoldenCase(MatrixType::kBf16); }
TEST(compute, golden_fp16) { RunGoldenCase(MatrixType::kFp16); }
TEST(compute, golden_tf32) { RunGoldenCase(MatrixType::kTf32); }
TEST(compute, golden_fp32) { RunGoldenCase(MatrixType::kFp32); }
TEST(compute, golden_fp64) { RunGoldenCase(MatrixType::kFp64); }
TEST(compute, golden_int8) { RunGoldenCase(MatrixType::kInt8); }
TEST(compute, golden_fp8) { RunGoldenCase(MatrixType::kFp8); }
TEST(compute, plain_fp32) { RunPlainCase(MatrixType::kFp32); }
TEST(compute, plain_fp64) { RunPlainCase(MatrixType::kFp64); }
TEST(compute, plain_int8) { RunPlainCase(MatrixType::kInt8); }

}  // namespace
}  // namespace muster::driver
