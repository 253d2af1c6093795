// What a GPU can do at best, from its own figures: widths, clocks and units. Pure arithmetic; no device, no table of
// readings.
//
// A rate that is not known for an architecture is nullopt, never a guess: the caller then expects nothing.
#ifndef MUSTER_SUITES_SDK_PEAK_H_
#define MUSTER_SUITES_SDK_PEAK_H_

#include <cstdint>
#include <optional>
#include <string>

namespace muster::sdk {

struct GpuFigures {
  std::string model;
  int compute_major = 0;
  int compute_minor = 0;
  int multiprocessors = 0;
  // Highest clock of the multiprocessors.
  double clock_hz = 0;
  double memory_clock_hz = 0;
  int memory_bus_bits = 0;
  // Where the device says them itself, as Intel's do; 0 otherwise. Bytes a second; fp32 operations a clock of one
  // multiprocessor.
  double memory_bandwidth = 0;
  double fp32_per_clock = 0;
};

// Of the operands; kTf32 is fp32 in memory. Sums are in fp32, of fp64 in fp64, of int8 in int32. kFp8 is E4M3.
enum class MatrixType { kBf16, kFp32, kTf32, kFp16, kFp64, kInt8, kFp8 };

// Bytes per second to and from device memory: what the device says, or two transfers a clock, which is how NVIDIA
// counts the memory clock of HBM and of every GDDR alike: H200 6016 bit × 3.201 GHz, RTX 4090 384 bit × 10.501 GHz.
std::optional<double> MemoryBandwidthPeak(const GpuFigures& gpu);

// Operations per second of a dense matrix product: on the fp32 units for fp32, else on the tensor cores, or on the fp64
// units where those do not compute in fp64.
std::optional<double> MatrixPeak(const GpuFigures& gpu, MatrixType type);

// Whether there are units for it: an NVIDIA GPU's library has no product of the type without. True of GPUs whose
// compute capability is not known.
bool HasMatrixUnits(const GpuFigures& gpu, MatrixType type);

// Bytes per second one way over PCI Express, after line coding and before packet headers. `generation` 1 to 6.
std::optional<double> PciBandwidthPeak(uint32_t generation, uint32_t width);

// Bytes per second one way over one link of NVLink, as NVIDIA's white papers have them. `generation` 1 to 5.
std::optional<double> NvLinkBandwidthPeak(uint32_t generation);

}  // namespace muster::sdk

#endif  // MUSTER_SUITES_SDK_PEAK_H_
