#include "suites/physical/cuda_device.h"

#include <cuda_runtime_api.h>

#include "suites/physical/cuda_kernels.h"
#include "suites/sdk/cuda/check.h"
#include "suites/sdk/cuda/memory.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

class CudaDevice final : public ComputeDevice {
 public:
  void* Allocate(uint64_t bytes) override {
    void* memory = nullptr;
    const cudaError_t error = cudaMalloc(&memory, bytes);
    if (error == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      return nullptr;
    }
    CUDA_CHECK(error);
    return memory;
  }
  void Free(void* memory) override { cudaFree(memory); }
  uint64_t FreeBytes() override {
    size_t free = 0;
    size_t total = 0;
    CUDA_CHECK(cudaMemGetInfo(&free, &total));
    return free;
  }

  void Launch(const KernelLaunch& launch) override {
    const void* const kernel = FindCudaKernel(launch.kernel);
    if (kernel == nullptr) throw sdk::ToolError(std::string("no kernel ") + launch.kernel);
    std::vector<void*> buffers = launch.buffers;
    std::vector<void*> parameters;
    for (void*& buffer : buffers) parameters.push_back(&buffer);
    parameters.push_back(const_cast<void*>(launch.arguments));
    CUDA_CHECK(cudaLaunchKernel(kernel, dim3(static_cast<unsigned>(launch.groups)), dim3(launch.group_size),
                                parameters.data(), 0, stream_.get()));
  }
  void Zero(void* memory, uint64_t bytes) override { CUDA_CHECK(cudaMemsetAsync(memory, 0, bytes, stream_.get())); }
  void Copy(void* to, const void* from, uint64_t bytes) override {
    CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_.get()));
  }
  void ReadBack(void* host, const void* memory, uint64_t bytes) override {
    CUDA_CHECK(cudaMemcpyAsync(host, memory, bytes, cudaMemcpyDeviceToHost, stream_.get()));
    stream_.Wait();
  }

  double Seconds(const std::function<void()>& queue) override {
    begin_.Record(stream_);
    queue();
    end_.Record(stream_);
    CUDA_CHECK(cudaEventSynchronize(end_.get()));
    float milliseconds = 0;
    CUDA_CHECK(cudaEventElapsedTime(&milliseconds, begin_.get(), end_.get()));
    return milliseconds / 1e3;
  }

 private:
  sdk::cuda::Stream stream_;
  sdk::cuda::Event begin_;
  sdk::cuda::Event end_;
};

}  // namespace

std::unique_ptr<ComputeDevice> MakeCudaDevice() { return std::make_unique<CudaDevice>(); }

}  // namespace muster::physical
