// How fast cuBLASLt multiplies matrices, against units × clock, and whether the product is right.
//
// The operands are normally distributed: on zeros or few bits a GPU draws less power and clocks higher than on real
// data.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "suites/benchmark/kernels.h"
#include "suites/physical/cublaslt.h"
#include "suites/sdk/cuda/device.h"
#include "suites/sdk/cuda/memory.h"
#include "suites/sdk/cuda/timing.h"
#include "suites/sdk/devices.h"
#include "suites/sdk/measurement.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"
#include "suites/sdk/peak.h"

namespace muster::benchmark {
namespace {

using physical::CublasLt;
using sdk::cuda::DeviceBuffer;
using sdk::cuda::DeviceScope;
using sdk::cuda::Stream;

constexpr size_t kWorkspaceBytes = 64 << 20;
constexpr uint64_t kSeedA = 0x6D61746101;
constexpr uint64_t kSeedB = 0x6D61746202;
// What a power-limited GPU runs at after its first moments: as long at work before the timing begins.
constexpr double kWarmUpSeconds = 0.5;
constexpr int kMaxWarmUps = 100'000;
// Trials of one algorithm among several.
constexpr int kTrialWarmUps = 1;
constexpr int kTrialRepeats = 4;

struct Precision {
  const char* name;
  Element element;
  size_t element_bytes;
  sdk::MatrixType type;
  const char* floor_parameter;
  // How far a right entry may lie from the exact one: the rounding of its own type, and that of the sum, whose terms
  // have a standard deviation of 1 and number 8192: TF32 in place of fp32 shows.
  double absolute;
  double relative;
};
constexpr Precision kBf16 = {"gemm_bf16",       Element::kBf16, 2,        sdk::MatrixType::kBf16,
                             "gemm_bf16_floor", 0.05,           1.0 / 256};
constexpr Precision kFp32 = {"gemm_fp32", Element::kFp32, 4, sdk::MatrixType::kFp32, "gemm_fp32_floor", 0.005, 1e-5};

// The three matrices of one product on one device.
struct Matrices {
  Matrices(const Stream& stream, const Precision& precision, size_t size)
      : a(size * size * precision.element_bytes), b(a.size()), c(a.size()), workspace(kWorkspaceBytes) {
    CUDA_CHECK(LaunchNormal(a.data(), precision.element, size * size, kSeedA, stream.get()));
    CUDA_CHECK(LaunchNormal(b.data(), precision.element, size * size, kSeedB, stream.get()));
    // All bits set is a NaN: an entry that is not written shows.
    CUDA_CHECK(cudaMemsetAsync(c.data(), 0xFF, c.bytes(), stream.get()));
  }
  DeviceBuffer<char> a;
  DeviceBuffer<char> b;
  DeviceBuffer<char> c;
  DeviceBuffer<char> workspace;
};

struct Trial {
  size_t algorithm = 0;
  double seconds = 0;
};

// The fastest algorithm by trial.
Trial FastestAlgorithm(const CublasLt::Product& product, const Stream& stream) {
  Trial fastest = {.algorithm = product.algorithms()};
  for (size_t i = 0; i < product.algorithms(); ++i) {
    bool queued = true;
    const auto timing = sdk::cuda::TimeOnDevice(stream, kTrialWarmUps, kTrialRepeats,
                                                [&] { queued &= product.Queue(i, stream.get()); });
    if (!queued) continue;
    if (fastest.algorithm == product.algorithms() || timing.median_seconds < fastest.seconds) {
      fastest = {.algorithm = i, .seconds = timing.median_seconds};
    }
  }
  if (fastest.algorithm == product.algorithms())
    throw sdk::ToolError("cuBLASLt refused each algorithm that it had proposed");
  return fastest;
}

void ExpectRight(const Stream& stream, const Matrices& matrices, const Precision& precision, size_t size) {
  const DeviceBuffer<MatrixCheck> check(1);
  CUDA_CHECK(cudaMemsetAsync(check.data(), 0, sizeof(MatrixCheck), stream.get()));
  CUDA_CHECK(LaunchMatrixCheck(matrices.a.data(), matrices.b.data(), matrices.c.data(), precision.element, size,
                               precision.absolute, precision.relative, kSeedA ^ kSeedB, check.data(), stream.get()));
  MatrixCheck seen{};
  CUDA_CHECK(cudaMemcpyAsync(&seen, check.data(), sizeof(seen), cudaMemcpyDeviceToHost, stream.get()));
  stream.Wait();
  if (seen.checked == 0) throw sdk::ToolError("no entry of the product was checked");
  sdk::Measure(absl::StrCat(precision.name, ".checked_entries"), static_cast<double>(seen.checked), "1");
  EXPECT_EQ(seen.wrong, 0u) << "wrong entries of " << seen.checked << " checked; row " << seen.row << ", column "
                            << seen.column << ": expected " << seen.expected << ", found " << seen.found;
}

void MeasureProduct(const v1::Device& device, const Precision& precision) {
  const DeviceScope scope(device);
  const sdk::GpuFigures figures = scope.Figures();
  if (precision.element == Element::kBf16 && figures.compute_major < 8) {
    throw sdk::DeviceSkipped("bf16 needs compute capability 8.0");
  }
  const auto library = physical::LoadCublasLt();
  const auto size = static_cast<size_t>(sdk::Parameter<int64_t>("gemm_size"));
  const Stream stream;
  const Matrices matrices(stream, precision, size);
  auto product = library->Prepare({.a = matrices.a.data(),
                                   .b = matrices.b.data(),
                                   .c = matrices.c.data(),
                                   .size = size,
                                   .type = precision.type,
                                   .workspace = matrices.workspace.data(),
                                   .workspace_bytes = matrices.workspace.bytes()});
  if (!product.ok()) throw sdk::ToolError(std::string(product.status().message()));
  const Trial fastest = FastestAlgorithm(**product, stream);
  CUDA_CHECK(cudaMemsetAsync(matrices.c.data(), 0xFF, matrices.c.bytes(), stream.get()));
  const int repeats = static_cast<int>(sdk::Parameter<int64_t>("repeats"));
  const int warm_ups = std::clamp(static_cast<int>(kWarmUpSeconds / fastest.seconds), repeats, kMaxWarmUps);
  const auto timing = sdk::cuda::TimeOnDevice(stream, warm_ups, repeats, [&] {
    if (!(*product)->Queue(fastest.algorithm, stream.get())) throw sdk::ToolError("cublasLtMatmul failed");
  });
  ExpectRight(stream, matrices, precision, size);
  const double operations = 2.0 * static_cast<double>(size) * static_cast<double>(size) * static_cast<double>(size);
  sdk::MeasureText(absl::StrCat(precision.name, ".library"), absl::StrCat("cuBLASLt ", library->version()));
  sdk::MeasureShare(precision.name, operations / timing.median_seconds, "FLOP/s", MatrixPeak(figures, precision.type),
                    sdk::Parameter<double>(precision.floor_parameter));
  sdk::ReportWork("flop", operations * repeats);
}

TEST(gemm, bf16) {
  sdk::ForEachDevice([](const v1::Device& device) { MeasureProduct(device, kBf16); });
}

TEST(gemm, fp32) {
  sdk::ForEachDevice([](const v1::Device& device) { MeasureProduct(device, kFp32); });
}

}  // namespace
}  // namespace muster::benchmark
