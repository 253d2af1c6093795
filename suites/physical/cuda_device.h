// An NVIDIA GPU as a compute device: the calling thread's current one (sdk::cuda::DeviceScope), for as long as it stays
// so.
#ifndef MUSTER_SUITES_PHYSICAL_CUDA_DEVICE_H_
#define MUSTER_SUITES_PHYSICAL_CUDA_DEVICE_H_

#include <cstdint>
#include <functional>

#include "suites/physical/compute_device.h"
#include "suites/sdk/cuda/memory.h"

namespace muster::physical {

class CudaDevice final : public ComputeDevice {
 public:
  void* Allocate(uint64_t bytes) override;
  void Free(void* memory) override;
  uint64_t FreeBytes() override;
  void Launch(const KernelLaunch& launch) override;
  void Zero(void* memory, uint64_t bytes) override;
  void Copy(void* to, const void* from, uint64_t bytes) override;
  void ReadBack(void* host, const void* memory, uint64_t bytes) override;
  double Seconds(const std::function<void()>& queue) override;

  // On which all of it is queued.
  cudaStream_t stream() const { return stream_.get(); }

 private:
  sdk::cuda::Stream stream_;
  sdk::cuda::Event begin_;
  sdk::cuda::Event end_;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_CUDA_DEVICE_H_
