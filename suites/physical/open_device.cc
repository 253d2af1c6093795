#include "suites/physical/open_device.h"

#include <cstdlib>

#include "suites/physical/level_zero_device.h"
#include "suites/physical/spirv_modules.h"
#include "suites/sdk/level_zero.h"
#include "suites/sdk/outcome.h"

#ifdef MUSTER_HAS_CUDA
#include "suites/physical/cublas_engine.h"
#include "suites/physical/cublaslt.h"
#include "suites/physical/cuda_device.h"
#include "suites/physical/nccl.h"
#include "suites/sdk/cuda/device.h"
#endif

namespace muster::physical {
namespace {

#ifdef MUSTER_HAS_CUDA

std::unique_ptr<ComputeDevice> OpenNvidia(const v1::Device& device) {
  return std::make_unique<CudaDevice>(sdk::cuda::DeviceScope(device).ordinal());
}

// Null for a device of another vendor.
std::unique_ptr<MatrixEngine> OpenNvidiaEngine(ComputeDevice& device) {
  auto* const gpu = dynamic_cast<CudaDevice*>(&device);
  if (gpu == nullptr) return nullptr;
  return std::make_unique<CublasEngine>(SharedCublasLt(), *gpu);
}

// Null for devices of another vendor.
std::unique_ptr<Reducer> OpenNvidiaReducer(const std::vector<ComputeDevice*>& devices, const std::string& nccl) {
  std::vector<CudaDevice*> gpus;
  for (ComputeDevice* device : devices) {
    gpus.push_back(dynamic_cast<CudaDevice*>(device));
    if (gpus.back() == nullptr) return nullptr;
  }
  auto made = MakeNcclReducer(LibraryCandidates(NcclNames(), nccl), gpus);
  if (absl::IsNotFound(made.status())) throw sdk::DeviceSkipped(std::string(made.status().message()));
  if (!made.ok()) throw sdk::ToolError(std::string(made.status().message()));
  return *std::move(made);
}

#else

std::unique_ptr<ComputeDevice> OpenNvidia(const v1::Device&) {
  throw sdk::DeviceSkipped("this program was built without the CUDA toolkit; build where nvcc is found");
}

std::unique_ptr<MatrixEngine> OpenNvidiaEngine(ComputeDevice&) { return nullptr; }

std::unique_ptr<Reducer> OpenNvidiaReducer(const std::vector<ComputeDevice*>&, const std::string&) { return nullptr; }

#endif

std::unique_ptr<ComputeDevice> OpenIntel(const v1::Device& device) {
  if (SpirvModules().empty())
    throw sdk::DeviceSkipped(
        "this program was built without SPIR-V kernels; build where clang, llvm-spirv and spirv-val are found");
  const char* const simulated_kernels = std::getenv("MUSTER_SIM_KERNELS");
  if (device.simulated() && (simulated_kernels == nullptr || *simulated_kernels == '\0'))
    throw sdk::DeviceSkipped("simulated, without kernels for it: MUSTER_SIM_KERNELS names none");
  const sdk::LevelZeroDeviceHandles found = sdk::RequireInLevelZero(device);
  return std::make_unique<LevelZeroDevice>(LevelZeroGpu::Of(found.level_zero, found.handles));
}

}  // namespace

std::unique_ptr<ComputeDevice> OpenDevice(const v1::Device& device) {
  if (device.vendor() == v1::VENDOR_NVIDIA) return OpenNvidia(device);
  if (device.vendor() == v1::VENDOR_INTEL) return OpenIntel(device);
  throw sdk::DeviceSkipped("no way to compute on a device of " + v1::Vendor_Name(device.vendor()));
}

std::unique_ptr<MatrixEngine> OpenMatrixEngine(ComputeDevice& device, sdk::MatrixType type) {
  if (auto engine = OpenNvidiaEngine(device)) return engine;
  return MakePlainEngine(device);
}

std::unique_ptr<Reducer> OpenReducer(const std::vector<ComputeDevice*>& devices, const std::string& nccl) {
  if (auto reducer = OpenNvidiaReducer(devices, nccl)) return reducer;
  return MakeRingReducer(devices);
}

}  // namespace muster::physical
