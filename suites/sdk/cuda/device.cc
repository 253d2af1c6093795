#include "suites/sdk/cuda/device.h"

#include <cuda_runtime_api.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "suites/sdk/cuda/check.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/software.h"

namespace muster::sdk::cuda {
namespace {

std::string VersionText(int version) { return absl::StrCat(version / 1000, ".", version % 1000 / 10); }

const SoftwareInfo kRuntime("CUDA runtime", VersionText(CUDART_VERSION));

std::string UuidText(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    absl::StrAppendFormat(&text, "%02x", static_cast<unsigned>(static_cast<unsigned char>(uuid.bytes[i])));
  }
  return text;
}

int Attribute(cudaDeviceAttr attribute, int ordinal) {
  int value = 0;
  CUDA_CHECK(cudaDeviceGetAttribute(&value, attribute, ordinal));
  return value;
}

}  // namespace

std::optional<int> OrdinalOf(const std::string& uuid) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaErrorNoDevice) return std::nullopt;
  if (error == cudaErrorInsufficientDriver) {
    throw ToolError(absl::StrCat("the driver is missing or too old for this program's CUDA runtime ",
                                 VersionText(CUDART_VERSION), "; install a driver that supports it"));
  }
  CUDA_CHECK(error);
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    cudaDeviceProp properties;
    CUDA_CHECK(cudaGetDeviceProperties(&properties, ordinal));
    if (UuidText(properties.uuid) == uuid) return ordinal;
  }
  return std::nullopt;
}

GpuFigures FiguresOf(int ordinal) {
  cudaDeviceProp properties;
  CUDA_CHECK(cudaGetDeviceProperties(&properties, ordinal));
  return {.model = properties.name,
          .compute_major = properties.major,
          .compute_minor = properties.minor,
          .multiprocessors = properties.multiProcessorCount,
          .clock_hz = 1e3 * Attribute(cudaDevAttrClockRate, ordinal),
          .memory_clock_hz = 1e3 * Attribute(cudaDevAttrMemoryClockRate, ordinal),
          .memory_bus_bits = properties.memoryBusWidth};
}

DeviceScope::DeviceScope(const v1::Device& device) {
  if (device.vendor() != v1::VENDOR_NVIDIA) throw DeviceSkipped("not an NVIDIA device");
  if (device.simulated()) throw DeviceSkipped("simulated: it has no CUDA, and nothing can be computed on it");
  const auto ordinal = OrdinalOf(device.uuid());
  if (!ordinal) {
    throw DeviceFailure(absl::StrCat("CUDA does not show ", device.model(), " ", device.uuid(),
                                     ", which is leased to this run; look for Xid lines in the kernel log"));
  }
  ordinal_ = *ordinal;
  cudaGetDevice(&before_);
  CUDA_CHECK(cudaSetDevice(ordinal_));
}

DeviceScope::~DeviceScope() { cudaSetDevice(before_); }

uint64_t DeviceScope::FreeMemoryBytes() const {
  size_t free = 0;
  size_t total = 0;
  CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return free;
}

}  // namespace muster::sdk::cuda
