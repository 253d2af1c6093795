// How fast a device multiplies matrices of random numbers, against units × clock, and whether the product is right.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "suites/physical/open_device.h"
#include "suites/physical/random_gemm.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/peak.h"
#include "suites/sdk/session.h"

namespace muster::benchmark {
namespace {

using physical::MatrixProduct;
using sdk::MatrixType;

// At level 1 a device's first moments are enough to see a slow one.
constexpr double kWarmUpSeconds[] = {0.03, 0.5, 0.5, 1};
constexpr double kSeconds[] = {0.05, 0.2, 1, 10};
constexpr uint32_t kTrials[] = {1, 8, 16, 16};

MatrixProduct ProductFor(MatrixType type, bool matrix_units, int level) {
  auto size = static_cast<uint32_t>(sdk::Parameter<int64_t>("gemm_size"));
  // Of the slow types, for a product that takes milliseconds.
  const bool slow = !matrix_units || type == MatrixType::kFp32 || type == MatrixType::kFp64;
  if (size == 0) size = slow && level == 1 ? 4096 : 8192;
  return {.type = type,
          .rows = size,
          .columns = size,
          .depth = size,
          .wide_result = !matrix_units,
          .trials = kTrials[level - 1]};
}

double FloorOf(MatrixType type) {
  if (type == MatrixType::kBf16) return sdk::Parameter<double>("gemm_bf16_floor");
  if (type == MatrixType::kFp32) return sdk::Parameter<double>("gemm_fp32_floor");
  return sdk::Parameter<double>("gemm_floor");
}

void MeasureProduct(const v1::Device& device, MatrixType type) {
  const std::string name = "gemm_" + physical::MatrixTypeName(type);
  const auto gpu = physical::OpenDevice(device);
  const sdk::GpuFigures figures = gpu->Traits().figures;
  const auto engine = physical::OpenMatrixEngine(*gpu, type);
  if (engine->UsesMatrixUnits() && !sdk::HasMatrixUnits(figures, type))
    throw sdk::DeviceSkipped("this GPU has no units for " + physical::MatrixTypeName(type));
  const int level = sdk::Session::Current().environment().level;
  const physical::RandomGemmReport report = physical::RunRandomGemm(
      *gpu, *engine,
      {.product = ProductFor(type, engine->UsesMatrixUnits(), level),
       .warm_up_seconds = kWarmUpSeconds[level - 1],
       .least_products = level == 1 ? 5u : static_cast<uint32_t>(sdk::Parameter<int64_t>("repeats")),
       .seconds = kSeconds[level - 1],
       .inject = sdk::Parameter<std::string>("inject_gemm") == "bit"});
  if (!report.unsupported.empty()) throw sdk::DeviceSkipped(report.unsupported);
  sdk::MeasureText(name + ".library", engine->Name());
  sdk::Measure(name + ".checked_entries", static_cast<double>(report.checked), "1");
  EXPECT_EQ(report.wrong, 0u) << "wrong entries of " << report.checked << " checked; " << report.first_wrong;
  sdk::MeasureShare(name, report.operations_per_second, "FLOP/s",
                    engine->UsesMatrixUnits() ? sdk::MatrixPeak(figures, type) : std::nullopt, FloorOf(type));
  const auto product = ProductFor(type, engine->UsesMatrixUnits(), level);
  sdk::ReportWork("flop", product.Operations() * static_cast<double>(report.products));
}

void RunCase(MatrixType type) {
  sdk::ForEachDevice([type](const v1::Device& device) { MeasureProduct(device, type); });
}

TEST(gemm, bf16) { RunCase(MatrixType::kBf16); }
TEST(gemm, fp16) { RunCase(MatrixType::kFp16); }
TEST(gemm, tf32) { RunCase(MatrixType::kTf32); }
TEST(gemm, fp32) { RunCase(MatrixType::kFp32); }
TEST(gemm, fp64) { RunCase(MatrixType::kFp64); }
TEST(gemm, int8) { RunCase(MatrixType::kInt8); }
TEST(gemm, fp8) { RunCase(MatrixType::kFp8); }

}  // namespace
}  // namespace muster::benchmark
