#include "suites/physical/cuda_device.h"

#include <cuda_runtime_api.h>

#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "suites/physical/cuda_kernels.h"
#include "suites/physical/cuda_module.h"
#include "suites/sdk/cuda/check.h"
#include "suites/sdk/cuda/device.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

// Makes the device current, so that what is made after it is the device's.
DeviceTraits TraitsOf(int ordinal) {
  CUDA_CHECK(cudaSetDevice(ordinal));
  cudaDeviceProp properties;
  CUDA_CHECK(cudaGetDeviceProperties(&properties, ordinal));
  return {.name = properties.name,
          .units = static_cast<uint32_t>(properties.multiProcessorCount),
          .subgroup_size = static_cast<uint32_t>(properties.warpSize),
          .shuffle_width = static_cast<uint32_t>(properties.warpSize),
          .atomics_64 = true,
          .local_memory_bytes = properties.sharedMemPerBlockOptin,
          .last_cache_bytes = static_cast<uint64_t>(properties.l2CacheSize),
          .fp64 = true,
          .exact_division = true,
          .names_units = true,
          .figures = sdk::cuda::FiguresOf(ordinal)};
}

class CudaGraph final : public QueuedWork {
 public:
  CudaGraph(cudaGraph_t graph, cudaStream_t stream) : stream_(stream) {
    const cudaError_t error = cudaGraphInstantiate(&executable_, graph, 0);
    cudaGraphDestroy(graph);
    CUDA_CHECK(error);
  }
  ~CudaGraph() override { cudaGraphExecDestroy(executable_); }
  void Queue() override { CUDA_CHECK(cudaGraphLaunch(executable_, stream_)); }

 private:
  cudaGraphExec_t executable_ = nullptr;
  const cudaStream_t stream_;
};

// Null when there is not that much memory.
void* OrNull(cudaError_t error, void* memory) {
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    return nullptr;
  }
  CUDA_CHECK(error);
  return memory;
}

// Without a time: the cheapest to record and to wait for.
struct CudaQueueEvent final : QueueEvent {
  CudaQueueEvent() { CUDA_CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming)); }
  ~CudaQueueEvent() override { cudaEventDestroy(event); }
  cudaEvent_t event = nullptr;
};

}  // namespace

CudaDevice::CudaDevice(int ordinal) : ordinal_(ordinal), traits_(TraitsOf(ordinal)) {}
CudaDevice::CudaDevice(int ordinal, const DeviceTraits& traits) : ordinal_(ordinal), traits_(traits) {}

// Stream and events go with their device current.
CudaDevice::~CudaDevice() { cudaSetDevice(ordinal_); }

void CudaDevice::MakeCurrent() const { CUDA_CHECK(cudaSetDevice(ordinal_)); }

std::unique_ptr<ComputeDevice> CudaDevice::OpenQueue() {
  MakeCurrent();
  return std::unique_ptr<CudaDevice>(new CudaDevice(ordinal_, traits_));
}

void* CudaDevice::Allocate(uint64_t bytes) {
  MakeCurrent();
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, bytes);
  return OrNull(error, memory);
}

void CudaDevice::Free(void* memory) { cudaFree(memory); }

uint64_t CudaDevice::FreeBytes() {
  MakeCurrent();
  size_t free = 0;
  size_t total = 0;
  CUDA_CHECK(cudaMemGetInfo(&free, &total));
  return free;
}

void* CudaDevice::AllocateHost(uint64_t bytes) {
  MakeCurrent();
  void* memory = nullptr;
  // Any device's to reach.
  const cudaError_t error = cudaHostAlloc(&memory, bytes, cudaHostAllocPortable);
  return OrNull(error, memory);
}

void CudaDevice::FreeHost(void* memory) { cudaFreeHost(memory); }

void CudaDevice::Launch(const KernelLaunch& launch) {
  MakeCurrent();
  const auto* const module = dynamic_cast<const CudaModule*>(launch.module);
  const void* const kernel = module == nullptr ? FindCudaKernel(launch.kernel) : module->Find(launch.kernel);
  if (kernel == nullptr) throw sdk::ToolError(std::string("no kernel ") + launch.kernel);
  std::vector<void*> buffers = launch.buffers;
  std::vector<void*> parameters;
  for (void*& buffer : buffers) parameters.push_back(&buffer);
  parameters.push_back(const_cast<void*>(launch.arguments));
  // What a kernel has without asking for more.
  constexpr uint32_t kPlainLocalBytes = 48 << 10;
  if (launch.local_bytes > kPlainLocalBytes) {
    CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                    static_cast<int>(launch.local_bytes)));
  }
  CUDA_CHECK(cudaLaunchKernel(kernel, dim3(static_cast<unsigned>(launch.groups)), dim3(launch.group_size),
                              parameters.data(), launch.local_bytes, stream_.get()));
}

void CudaDevice::Zero(void* memory, uint64_t bytes) {
  MakeCurrent();
  CUDA_CHECK(cudaMemsetAsync(memory, 0, bytes, stream_.get()));
}

void CudaDevice::Copy(void* to, const void* from, uint64_t bytes) {
  MakeCurrent();
  CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_.get()));
}

void CudaDevice::ReadBack(void* host, const void* memory, uint64_t bytes) {
  Copy(host, memory, bytes);
  stream_.Wait();
}

void CudaDevice::Wait() { stream_.Wait(); }

bool CudaDevice::WaitAtMost(double seconds) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  cudaError_t state = cudaErrorNotReady;
  do {
    state = cudaStreamQuery(stream_.get());
    if (state == cudaSuccess) return true;
    if (state != cudaErrorNotReady) CUDA_CHECK(state);
  } while (std::chrono::steady_clock::now() < limit);
  return false;
}

std::unique_ptr<QueueEvent> CudaDevice::Record() {
  MakeCurrent();
  auto event = std::make_unique<CudaQueueEvent>();
  CUDA_CHECK(cudaEventRecord(event->event, stream_.get()));
  return event;
}

void CudaDevice::WaitFor(const QueueEvent& event) {
  CUDA_CHECK(cudaStreamWaitEvent(stream_.get(), dynamic_cast<const CudaQueueEvent&>(event).event, 0));
}

std::unique_ptr<QueuedWork> CudaDevice::Capture(const std::function<void()>& queue) {
  MakeCurrent();
  CUDA_CHECK(cudaStreamBeginCapture(stream_.get(), cudaStreamCaptureModeThreadLocal));
  queue();
  cudaGraph_t graph = nullptr;
  CUDA_CHECK(cudaStreamEndCapture(stream_.get(), &graph));
  return std::make_unique<CudaGraph>(graph, stream_.get());
}

std::string CudaDevice::ModuleImage() { return std::string(CudaModuleImage()); }

std::unique_ptr<KernelModule> CudaDevice::LoadModule(const std::string& path) {
  MakeCurrent();
  return CudaModule::Load(path);
}

bool CudaDevice::ReachPeer(ComputeDevice& peer) {
  const auto* const other = dynamic_cast<const CudaDevice*>(&peer);
  if (other == nullptr) return false;
  int reaches = 0;
  CUDA_CHECK(cudaDeviceCanAccessPeer(&reaches, ordinal_, other->ordinal_));
  if (reaches == 0) return false;
  // Once for the process; asked again, the runtime takes it for an error.
  static std::mutex mutex;
  static auto& enabled = *new std::set<std::pair<int, int>>;
  const std::lock_guard lock(mutex);
  if (ordinal_ == other->ordinal_ || enabled.contains({ordinal_, other->ordinal_})) return true;
  MakeCurrent();
  CUDA_CHECK(cudaDeviceEnablePeerAccess(other->ordinal_, 0));
  enabled.insert({ordinal_, other->ordinal_});
  return true;
}

double CudaDevice::Seconds(const std::function<void()>& queue) {
  MakeCurrent();
  begin_.Record(stream_);
  queue();
  MakeCurrent();
  end_.Record(stream_);
  CUDA_CHECK(cudaEventSynchronize(end_.get()));
  float milliseconds = 0;
  CUDA_CHECK(cudaEventElapsedTime(&milliseconds, begin_.get(), end_.get()));
  return milliseconds / 1e3;
}

}  // namespace muster::physical
