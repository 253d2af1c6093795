#include "suites/sdk/peak.h"

#include <gtest/gtest.h>

#include <utility>

namespace muster::sdk {
namespace {

// Figures as the devices report them, and what their datasheets promise.
struct Known {
  GpuFigures figures;
  double bandwidth;
  double bf16;  // 0: no rate is claimed.
  double fp32;
  double tf32 = 0;
  double int8 = 0;
  double fp8 = 0;
  double fp64 = 0;
};

GpuFigures Gpu(const char* model, int major, int minor, int multiprocessors, double clock_ghz, double memory_ghz,
               int bus) {
  return {.model = model,
          .compute_major = major,
          .compute_minor = minor,
          .multiprocessors = multiprocessors,
          .clock_hz = clock_ghz * 1e9,
          .memory_clock_hz = memory_ghz * 1e9,
          .memory_bus_bits = bus};
}

// Clocks are the datasheets' boost clocks; devices allow a little more.
const Known kKnown[] = {
    {Gpu("NVIDIA H200", 9, 0, 132, 1.830, 3.201, 6016), 4.8e12, 989.4e12, 61.8e12, 494.7e12, 1978.9e12, 1978.9e12,
     61.8e12},
    {Gpu("NVIDIA H100 80GB HBM3", 9, 0, 132, 1.830, 2.619, 5120), 3.35e12, 989.4e12, 61.8e12, 494.7e12, 1978.9e12,
     1978.9e12, 61.8e12},
    {Gpu("NVIDIA A100-SXM4-40GB", 8, 0, 108, 1.410, 1.215, 5120), 1.555e12, 312e12, 19.5e12, 156e12, 624e12, 0,
     19.5e12},
    {Gpu("NVIDIA A100-SXM4-80GB", 8, 0, 108, 1.410, 1.593, 5120), 2.039e12, 312e12, 19.5e12},
    {Gpu("NVIDIA RTX A6000", 8, 6, 84, 1.800, 8.001, 384), 768e9, 154.8e12, 38.7e12, 77.4e12, 309.7e12, 0, 0.605e12},
    {Gpu("NVIDIA GeForce RTX 3090", 8, 6, 82, 1.695, 9.751, 384), 936e9, 71.2e12, 35.6e12},
    {Gpu("NVIDIA GeForce RTX 4090", 8, 9, 128, 2.520, 10.501, 384), 1008e9, 165.2e12, 82.6e12, 82.6e12, 660.6e12,
     330.3e12, 1.29e12},
    {Gpu("NVIDIA L40S", 8, 9, 142, 2.520, 9.001, 384), 864e9, 362e12, 91.6e12, 183e12, 733e12, 733e12, 1.43e12},
    {Gpu("NVIDIA B200", 10, 0, 148, 1.850, 3.996, 8192), 8.0e12, 2250e12, 70e12, 1125e12, 4500e12, 4500e12, 35e12},
    {Gpu("NVIDIA GeForce RTX 5090", 12, 0, 170, 2.407, 14.001, 512), 1792e9, 209.5e12, 104.8e12, 104.8e12, 838e12,
     419e12, 1.637e12},
    {Gpu("Tesla T4", 7, 5, 40, 1.590, 5.001, 256), 320e9, 0, 8.1e12, 0, 130e12, 0, 0.254e12},
};

// Arc A770: 32 Xe cores of 16 engines of 8 lanes, 19.66 TFLOP/s; 560 GB/s by its own word.
TEST(Peak, WhatTheDeviceSaysItselfGoesFirst) {
  GpuFigures arc = {.model = "Arc", .multiprocessors = 32, .clock_hz = 2.4e9, .memory_bandwidth = 560e9};
  EXPECT_EQ(MemoryBandwidthPeak(arc), 560e9);
  EXPECT_FALSE(MatrixPeak(arc, MatrixType::kFp32).has_value());
  arc.fp32_per_clock = 2 * 16 * 8;
  EXPECT_NEAR(*MatrixPeak(arc, MatrixType::kFp32), 19.66e12, 0.01e12);
  EXPECT_FALSE(MatrixPeak(arc, MatrixType::kBf16).has_value());
}

TEST(Peak, IsWhatTheDatasheetsSayWithinThreePercent) {
  for (const Known& known : kKnown) {
    SCOPED_TRACE(known.figures.model);
    EXPECT_NEAR(MemoryBandwidthPeak(known.figures).value() / known.bandwidth, 1, 0.03);
    EXPECT_NEAR(MatrixPeak(known.figures, MatrixType::kFp32).value() / known.fp32, 1, 0.03);
    const auto bf16 = MatrixPeak(known.figures, MatrixType::kBf16);
    EXPECT_EQ(bf16.has_value(), known.bf16 != 0);
    EXPECT_NEAR(bf16.value_or(0), known.bf16, 0.03 * known.bf16);
    for (const auto& [type, rate] :
         {std::pair(MatrixType::kTf32, known.tf32), std::pair(MatrixType::kInt8, known.int8),
          std::pair(MatrixType::kFp8, known.fp8), std::pair(MatrixType::kFp64, known.fp64)}) {
      if (rate == 0) continue;
      EXPECT_NEAR(MatrixPeak(known.figures, type).value() / rate, 1, 0.03) << static_cast<int>(type);
    }
  }
}

TEST(Peak, IsUnknownWhenTheFiguresAre) {
  EXPECT_FALSE(MemoryBandwidthPeak({}).has_value());
  EXPECT_FALSE(MemoryBandwidthPeak(Gpu("", 9, 0, 1, 1, 0, 6016)).has_value());
  EXPECT_FALSE(MatrixPeak(Gpu("", 99, 0, 132, 1.8, 1, 1), MatrixType::kBf16).has_value());
  EXPECT_FALSE(MatrixPeak(Gpu("", 99, 0, 132, 1.8, 1, 1), MatrixType::kFp32).has_value());
  EXPECT_FALSE(MatrixPeak(Gpu("", 9, 0, 132, 0, 1, 1), MatrixType::kBf16).has_value());
}

TEST(Peak, OfPciExpressIsAfterLineCoding) {
  EXPECT_NEAR(PciBandwidthPeak(1, 16).value(), 4.0e9, 1e6);
  EXPECT_NEAR(PciBandwidthPeak(2, 8).value(), 4.0e9, 1e6);
  EXPECT_NEAR(PciBandwidthPeak(3, 16).value(), 15.754e9, 1e6);
  EXPECT_NEAR(PciBandwidthPeak(4, 16).value(), 31.508e9, 1e6);
  EXPECT_NEAR(PciBandwidthPeak(5, 16).value(), 63.015e9, 1e6);
  EXPECT_FALSE(PciBandwidthPeak(0, 16).has_value());
  EXPECT_FALSE(PciBandwidthPeak(5, 0).has_value());
  EXPECT_FALSE(PciBandwidthPeak(9, 16).has_value());
}

TEST(NvLinkBandwidthPeak, IsThePublishedOneOfEachGeneration) {
  EXPECT_DOUBLE_EQ(2 * 4 * NvLinkBandwidthPeak(1).value(), 160e9) << "P100";
  EXPECT_DOUBLE_EQ(2 * 12 * NvLinkBandwidthPeak(3).value(), 600e9) << "A100";
  EXPECT_DOUBLE_EQ(2 * 18 * NvLinkBandwidthPeak(4).value(), 900e9) << "H100, H200";
  EXPECT_DOUBLE_EQ(2 * 18 * NvLinkBandwidthPeak(5).value(), 1800e9) << "B200";
  EXPECT_FALSE(NvLinkBandwidthPeak(0).has_value());
  EXPECT_FALSE(NvLinkBandwidthPeak(6).has_value());
}

}  // namespace
}  // namespace muster::sdk
