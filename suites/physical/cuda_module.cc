#include "suites/physical/cuda_module.h"

#include <vector>

#include "suites/sdk/cuda/check.h"
#include "suites/sdk/outcome.h"

// The file that MusterCuda.cmake's muster_cuda_fatbin makes.
asm(R"(
  .section .rodata
  .balign 16
  .globl muster_cuda_module_image
muster_cuda_module_image:
  .incbin ")" MUSTER_CUDA_MODULE_FILE R"("
  .globl muster_cuda_module_image_end
muster_cuda_module_image_end:
  .byte 0
  .text
)");
extern "C" const char muster_cuda_module_image[];
extern "C" const char muster_cuda_module_image_end[];

namespace muster::physical {

std::string_view CudaModuleImage() {
  return {muster_cuda_module_image, static_cast<size_t>(muster_cuda_module_image_end - muster_cuda_module_image)};
}

#if CUDART_VERSION >= 12080

namespace {

// Whether the call was a success; what speaks against the device is thrown.
bool Took(cudaError_t error) {
  if (sdk::cuda::IsDeviceFault(error)) CUDA_CHECK(error);
  cudaGetLastError();
  return error == cudaSuccess;
}

}  // namespace

std::unique_ptr<CudaModule> CudaModule::Load(const std::string& path) {
  cudaLibrary_t library = nullptr;
  if (!Took(cudaLibraryLoadFromFile(&library, path.c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0))) return nullptr;
  std::unique_ptr<CudaModule> module(new CudaModule(library));
  unsigned count = 0;
  if (!Took(cudaLibraryGetKernelCount(&count, library)) || count == 0) return nullptr;
  std::vector<cudaKernel_t> kernels(count);
  if (!Took(cudaLibraryEnumerateKernels(kernels.data(), count, library))) return nullptr;
  for (const cudaKernel_t kernel : kernels) {
    // Code is read when it is asked for, not before.
    cudaFuncAttributes attributes;
    if (!Took(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel)))) return nullptr;
  }
  return module;
}

CudaModule::~CudaModule() { cudaLibraryUnload(library_); }

const void* CudaModule::Find(const char* kernel) const {
  cudaKernel_t found = nullptr;
  return Took(cudaLibraryGetKernel(&found, library_, kernel)) ? reinterpret_cast<const void*>(found) : nullptr;
}

#else

std::unique_ptr<CudaModule> CudaModule::Load(const std::string&) {
  throw sdk::DeviceSkipped("built with a CUDA runtime before 12.8, which reads no modules from files");
}
CudaModule::~CudaModule() = default;
const void* CudaModule::Find(const char*) const { return nullptr; }

#endif

}  // namespace muster::physical
