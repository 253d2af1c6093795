// An NVIDIA GPU as a compute device. Each call makes it the calling thread's current one.
#ifndef MUSTER_SUITES_PHYSICAL_CUDA_DEVICE_H_
#define MUSTER_SUITES_PHYSICAL_CUDA_DEVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "suites/physical/compute_device.h"
#include "suites/sdk/cuda/memory.h"

namespace muster::physical {

class CudaDevice final : public ComputeDevice {
 public:
  // `ordinal` as CUDA numbers devices (sdk::cuda::OrdinalOf).
  explicit CudaDevice(int ordinal);
  ~CudaDevice() override;

  const DeviceTraits& Traits() override { return traits_; }
  std::unique_ptr<ComputeDevice> OpenQueue() override;
  void* Allocate(uint64_t bytes) override;
  void Free(void* memory) override;
  uint64_t FreeBytes() override;
  void* AllocateHost(uint64_t bytes) override;
  void FreeHost(void* memory) override;
  void Launch(const KernelLaunch& launch) override;
  void Zero(void* memory, uint64_t bytes) override;
  void Copy(void* to, const void* from, uint64_t bytes) override;
  void ReadBack(void* host, const void* memory, uint64_t bytes) override;
  void Wait() override;
  bool WaitAtMost(double seconds) override;
  std::unique_ptr<QueueEvent> Record() override;
  void WaitFor(const QueueEvent& event) override;
  std::unique_ptr<QueuedWork> Capture(const std::function<void()>& queue) override;
  // A fat binary for the architectures of this build.
  std::string ModuleImage() override;
  std::unique_ptr<KernelModule> LoadModule(const std::string& path) override;
  bool ReachPeer(ComputeDevice& peer) override;
  double Seconds(const std::function<void()>& queue) override;

  int ordinal() const { return ordinal_; }
  // On which all of it is queued.
  cudaStream_t stream() const { return stream_.get(); }

 private:
  CudaDevice(int ordinal, const DeviceTraits& traits);
  void MakeCurrent() const;

  const int ordinal_;
  const DeviceTraits traits_;
  sdk::cuda::Stream stream_;
  sdk::cuda::Event begin_;
  sdk::cuda::Event end_;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_CUDA_DEVICE_H_
