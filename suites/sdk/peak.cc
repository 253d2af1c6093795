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

// Dense bf16 operations with fp32 sums per clock and multiprocessor, from NVIDIA's architecture white papers' peak
// rates:
//   8.0   GA100: 312 TFLOP/s, 108 multiprocessors, 1.410 GHz
//   8.6   GA10x: A6000 154.8 TFLOP/s, 84, 1.800 GHz; GeForce half of it
//   8.9   AD10x: L40S 362 TFLOP/s, 142, 2.520 GHz; GeForce half (RTX 4090: 165.2, 128, 2.520)
//   9.0   GH100: H100 SXM 989.4 TFLOP/s, 132, 1.830 GHz
//   10.0  GB100: B200 2250 TFLOP/s, 148, 1.850 GHz
//   12.0  GB20x: RTX 5090 209.5 TFLOP/s, 170, 2.407 GHz; RTX PRO twice a GeForce's rate
std::optional<double> Bf16PerClock(const GpuFigures& gpu) {
  const bool half_rate = absl::StrContains(gpu.model, "GeForce") || absl::StrContains(gpu.model, "TITAN");
  switch (gpu.compute_major * 10 + gpu.compute_minor) {
    case 80:
      return 2048;
    case 86:
    case 89:
    case 120:
      return half_rate ? 512 : 1024;
    case 90:
      return 4096;
    case 100:
    case 103:
      return 8192;
    default:
      return std::nullopt;
  }
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
  std::optional<double> per_clock;
  if (type == MatrixType::kBf16 || type == MatrixType::kFp16) per_clock = Bf16PerClock(gpu);
  if (type == MatrixType::kFp32) per_clock = Fp32PerClock(gpu.compute_major, gpu.compute_minor);
  if (type == MatrixType::kFp32 && gpu.fp32_per_clock > 0) per_clock = gpu.fp32_per_clock;
  if (!per_clock || gpu.multiprocessors <= 0 || gpu.clock_hz <= 0) return std::nullopt;
  return *per_clock * gpu.multiprocessors * gpu.clock_hz;
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
