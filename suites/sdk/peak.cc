#include "suites/sdk/peak.h"

#include "absl/strings/match.h"

namespace muster::sdk {
namespace {

// Single-precision results per clock and multiprocessor: CUDA C++ Programming Guide, "Arithmetic Instructions", row
// "32-bit floating-point add, multiply, multiply-add". A multiply-add is two operations.
std::optional<double> Fp32PerClock(int major, int minor) {
  switch (major * 10 + minor) {
    case 75:
    case 80:
      return 2 * 64;
    case 86:
    case 87:
    case 88:
    case 89:
    case 90:
    case 100:
    case 103:
    case 110:
    case 120:
    case 121:
      return 2 * 128;
    default:
      return std::nullopt;
  }
}

// Dense operations per clock and multiprocessor on the tensor cores, from NVIDIA's architecture white papers' and data
// sheets' peak rates; sums in fp32, of int8 in int32:
//   7.5   TU10x: T4 fp16 65 TFLOP/s, int8 130 TOP/s, 40 multiprocessors, 1.590 GHz
//   8.0   GA100: A100 fp16 and bf16 312, TF32 156, int8 624, fp64 19.5, 108, 1.410 GHz
//   8.6   GA10x: A6000 fp16 154.8, TF32 77.4, int8 309.7, 84, 1.800 GHz; GeForce half of it but for int8
//   8.9   AD10x: L40S fp16 362, TF32 183, int8 and fp8 733, 142, 2.520 GHz; GeForce half but for int8 (RTX 4090: fp16
//         165.2, TF32 82.6, fp8 330.3, int8 660.6, 128, 2.520)
//   9.0   GH100: H100 SXM fp16 989.4, TF32 494.7, int8 and fp8 1978.9, 132, 1.830 GHz; fp64 66.9 at 1.980 GHz
//   10.0  GB100: B200 fp16 2250, TF32 1125, int8 and fp8 4500, 148, 1.850 GHz; fp64 37 at 1.965 GHz
//   12.0  GB20x: RTX PRO 6000 fp16 503.8, TF32 251.9, int8 and fp8 1007.6, 188, 2.617 GHz; GeForce half but for int8
//         (RTX 5090: fp16 209.5, TF32 104.8, fp8 419, int8 838, 170, 2.407)
// Of 10.3 fp16 alone: its int8 and fp64 are less than GB100's.
struct TensorRates {
  double fp16 = 0;
  double tf32 = 0;
  double int8 = 0;
  double fp8 = 0;
  double fp64 = 0;
};
TensorRates TensorRatesOf(const GpuFigures& gpu) {
  const bool half_rate = absl::StrContains(gpu.model, "GeForce") || absl::StrContains(gpu.model, "TITAN");
  const double rate = half_rate ? 0.5 : 1;
  // fp64: two plain units in each multiprocessor (CUDA C++ Programming Guide, "Arithmetic Instructions").
  constexpr double kFewFp64 = 2 * 2;
  switch (gpu.compute_major * 10 + gpu.compute_minor) {
    case 75:
      return {.fp16 = 1024 * rate, .int8 = 2048, .fp64 = kFewFp64};
    case 80:
      return {.fp16 = 2048, .tf32 = 1024, .int8 = 4096, .fp64 = 128};
    case 86:
      return {.fp16 = 1024 * rate, .tf32 = 512 * rate, .int8 = 2048, .fp64 = kFewFp64};
    case 89:
    case 120:
      return {.fp16 = 1024 * rate, .tf32 = 512 * rate, .int8 = 2048, .fp8 = 2048 * rate, .fp64 = kFewFp64};
    case 90:
      return {.fp16 = 4096, .tf32 = 2048, .int8 = 8192, .fp8 = 8192, .fp64 = 256};
    case 100:
      return {.fp16 = 8192, .tf32 = 4096, .int8 = 16384, .fp8 = 16384, .fp64 = 128};
    case 103:
      return {.fp16 = 8192};
    default:
      return {};
  }
}

double MatrixPerClock(const GpuFigures& gpu, MatrixType type) {
  const TensorRates rates = TensorRatesOf(gpu);
  switch (type) {
    case MatrixType::kFp32:
      if (gpu.fp32_per_clock > 0) return gpu.fp32_per_clock;
      return Fp32PerClock(gpu.compute_major, gpu.compute_minor).value_or(0);
    case MatrixType::kBf16:
      return HasMatrixUnits(gpu, type) ? rates.fp16 : 0;
    case MatrixType::kFp16:
      return rates.fp16;
    case MatrixType::kTf32:
      return rates.tf32;
    case MatrixType::kInt8:
      return rates.int8;
    case MatrixType::kFp8:
      return rates.fp8;
    case MatrixType::kFp64:
      return rates.fp64;
  }
  return 0;
}

// Bits on a lane per second, and the share of them that is data.
struct Signalling {
  double bits_per_second;
  double data_share;
};
std::optional<Signalling> SignallingOf(uint32_t generation) {
  switch (generation) {
    case 1:
      return Signalling{2.5e9, 8.0 / 10};
    case 2:
      return Signalling{5e9, 8.0 / 10};
    case 3:
      return Signalling{8e9, 128.0 / 130};
    case 4:
      return Signalling{16e9, 128.0 / 130};
    case 5:
      return Signalling{32e9, 128.0 / 130};
    // Flow control units of 256 bytes, 236 of them for packets.
    case 6:
      return Signalling{64e9, 236.0 / 256};
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<double> MemoryBandwidthPeak(const GpuFigures& gpu) {
  if (gpu.memory_bandwidth > 0) return gpu.memory_bandwidth;
  if (gpu.memory_bus_bits <= 0 || gpu.memory_clock_hz <= 0) return std::nullopt;
  return 2 * gpu.memory_clock_hz * gpu.memory_bus_bits / 8;
}

std::optional<double> MatrixPeak(const GpuFigures& gpu, MatrixType type) {
  const double per_clock = MatrixPerClock(gpu, type);
  if (per_clock <= 0 || gpu.multiprocessors <= 0 || gpu.clock_hz <= 0) return std::nullopt;
  return per_clock * gpu.multiprocessors * gpu.clock_hz;
}

// CUDA C++ Programming Guide, "Tensor cores".
bool HasMatrixUnits(const GpuFigures& gpu, MatrixType type) {
  if (gpu.compute_major == 0) return true;
  const int capability = gpu.compute_major * 10 + gpu.compute_minor;
  if (type == MatrixType::kBf16 || type == MatrixType::kTf32) return capability >= 80;
  return type != MatrixType::kFp8 || capability >= 89;
}

std::optional<double> PciBandwidthPeak(uint32_t generation, uint32_t width) {
  const auto signalling = SignallingOf(generation);
  if (!signalling || width == 0 || width > 32) return std::nullopt;
  return signalling->bits_per_second * signalling->data_share * width / 8;
}

// Both directions of all links by the architectures' white papers: P100 160 GB/s, 4 links; V100 300, 6; A100 600, 12;
// H100 900, 18; B200 1800, 18.
std::optional<double> NvLinkBandwidthPeak(uint32_t generation) {
  switch (generation) {
    case 1:
      return 20e9;
    case 2:
    case 3:
    case 4:
      return 25e9;
    case 5:
      return 50e9;
    default:
      return std::nullopt;
  }
}

}  // namespace muster::sdk
