#include "suites/physical/cuda_device.h"

#include <cuda_runtime_api.h>

#include <string>
#include <vector>

#include "suites/physical/cuda_kernels.h"
#include "suites/sdk/cuda/check.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {

void* CudaDevice::Allocate(uint64_t bytes) {
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  CUDA_CHECK(error);
  return memory;
}

void CudaDevice::Free(void* memory) { cudaFree(memory); }

uint64_t CudaDevice::FreeBytes() {
  size_t free = 0;
  size_t total = 0;
  CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return free;
}

void CudaDevice::Launch(const KernelLaunch& launch) {
  const void* const kernel = FindCudaKernel(launch.kernel);
  if (kernel == nullptr) throw sdk::ToolError(std::string("no kernel ") + launch.kernel);
  std::vector<void*> buffers = launch.buffers;
  std::vector<void*> parameters;
  for (void*& buffer : buffers) parameters.push_back(&buffer);
  parameters.push_back(const_cast<void*>(launch.arguments));
  CUDA_CHECK(cudaLaunchKernel(kernel, dim3(static_cast<unsigned>(launch.groups)), dim3(launch.group_size),
                              parameters.data(), 0, stream_.get()));
}

void CudaDevice::Zero(void* memory, uint64_t bytes) { CUDA_CHECK(cudaMemsetAsync(memory, 0, bytes, stream_.get())); }

void CudaDevice::Copy(void* to, const void* from, uint64_t bytes) {
  CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_.get()));
}

void CudaDevice::ReadBack(void* host, const void* memory, uint64_t bytes) {
  CUDA_CHECK(cudaMemcpyAsync(host, memory, bytes, cudaMemcpyDeviceToHost, stream_.get()));
  stream_.Wait();
}

double CudaDevice::Seconds(const std::function<void()>& queue) {
  begin_.Record(stream_);
  queue();
  end_.Record(stream_);
  CUDA_CHECK(cudaEventSynchronize(end_.get()));
  float milliseconds = 0;
  CUDA_CHECK(cudaEventElapsedTime(&milliseconds, begin_.get(), end_.get()));
  return milliseconds / 1e3;
}

}  // namespace muster::physical
