#include "suites/physical/opencl_device.h"

#ifdef MUSTER_HAS_OPENCL

#include <CL/cl.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

void Check(cl_int error, const std::string& what) {
  if (error != CL_SUCCESS) throw sdk::DeviceFailure(absl::StrCat(what, ": OpenCL error ", error));
}

// The device and the kernels; one for the whole process, for to compile takes seconds.
struct Runtime {
  cl_device_id device = nullptr;
  cl_context context = nullptr;
  cl_program program = nullptr;
  std::map<std::pair<cl_program, std::string>, cl_kernel> kernels;
  DeviceTraits traits;
};

cl_device_id FirstCpu() {
  cl_uint count = 0;
  if (clGetPlatformIDs(0, nullptr, &count) != CL_SUCCESS) return nullptr;
  std::vector<cl_platform_id> platforms(count);
  if (clGetPlatformIDs(count, platforms.data(), nullptr) != CL_SUCCESS) return nullptr;
  for (const cl_platform_id platform : platforms) {
    cl_device_id device = nullptr;
    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_CPU, 1, &device, nullptr) == CL_SUCCESS) return device;
  }
  return nullptr;
}

std::string BuildLog(const Runtime& runtime, cl_program program) {
  size_t size = 0;
  clGetProgramBuildInfo(program, runtime.device, CL_PROGRAM_BUILD_LOG, 0, nullptr, &size);
  std::string log(size, '\0');
  clGetProgramBuildInfo(program, runtime.device, CL_PROGRAM_BUILD_LOG, size, log.data(), nullptr);
  return log;
}

// The caller's to release.
absl::StatusOr<cl_program> Build(const Runtime& runtime, const std::string& text) {
  const char* source = text.c_str();
  cl_int error = CL_SUCCESS;
  const cl_program program = clCreateProgramWithSource(runtime.context, 1, &source, nullptr, &error);
  if (error != CL_SUCCESS) return absl::InternalError(absl::StrCat("clCreateProgramWithSource: OpenCL error ", error));
  std::string options = "-cl-std=CL2.0 -I" MUSTER_SOURCE_DIR;
  if (runtime.traits.exact_division) options += " -cl-fp32-correctly-rounded-divide-sqrt";
  error = clBuildProgram(program, 1, &runtime.device, options.c_str(), nullptr, nullptr);
  if (error == CL_SUCCESS) return program;
  const std::string log = BuildLog(runtime, program);
  clReleaseProgram(program);
  return absl::InvalidArgumentError(absl::StrCat("clBuildProgram: OpenCL error ", error, ": ", log));
}

DeviceTraits TraitsOf(cl_device_id device) {
  char name[256] = "";
  cl_ulong local_memory = 0;
  cl_uint units = 1;
  cl_device_fp_config fp32 = 0;
  clGetDeviceInfo(device, CL_DEVICE_SINGLE_FP_CONFIG, sizeof(fp32), &fp32, nullptr);
  clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof(name) - 1, name, nullptr);
  clGetDeviceInfo(device, CL_DEVICE_LOCAL_MEM_SIZE, sizeof(local_memory), &local_memory, nullptr);
  clGetDeviceInfo(device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof(units), &units, nullptr);
  return {.name = name,
          .units = units,
          .local_memory_bytes = local_memory,
          .fp64 = true,
          .exact_division = (fp32 & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0};
}

absl::StatusOr<Runtime*> Start() {
  auto* const runtime = new Runtime;
  runtime->device = FirstCpu();
  if (runtime->device == nullptr) {
    return absl::NotFoundError("no OpenCL platform here has a processor; Debian's package is pocl-opencl-icd");
  }
  runtime->traits = TraitsOf(runtime->device);
  cl_int error = CL_SUCCESS;
  runtime->context = clCreateContext(nullptr, 1, &runtime->device, nullptr, nullptr, &error);
  if (error != CL_SUCCESS) return absl::InternalError(absl::StrCat("clCreateContext: OpenCL error ", error));
  ASSIGN_OR_RETURN(runtime->program, Build(*runtime, "#include \"suites/physical/all_kernels.h\"\n"));
  return runtime;
}

struct OpenClEvent final : QueueEvent {
  ~OpenClEvent() override { clReleaseEvent(event); }
  cl_event event = nullptr;
};

struct OpenClModule final : KernelModule {
  explicit OpenClModule(cl_program built) : program(built) {}
  ~OpenClModule() override { clReleaseProgram(program); }
  const cl_program program;
};

class OpenClDevice final : public ComputeDevice {
 public:
  OpenClDevice(Runtime& runtime, uint64_t memory_bytes, uint64_t largest_piece)
      : runtime_(runtime), free_(memory_bytes), largest_piece_(largest_piece) {
    cl_int error = CL_SUCCESS;
    queue_ = clCreateCommandQueueWithProperties(runtime.context, runtime.device, nullptr, &error);
    Check(error, "clCreateCommandQueueWithProperties");
  }
  ~OpenClDevice() override {
    clFinish(queue_);
    for (const auto& [memory, piece] : pieces_) clSVMFree(runtime_.context, piece.allocated);
    clReleaseCommandQueue(queue_);
  }

  const DeviceTraits& Traits() override { return runtime_.traits; }
  std::unique_ptr<ComputeDevice> OpenQueue() override {
    return std::make_unique<OpenClDevice>(runtime_, free_, largest_piece_);
  }
  void* AllocateHost(uint64_t bytes) override { return Allocate(bytes); }
  void FreeHost(void* memory) override { Free(memory); }
  void Wait() override { Check(clFinish(queue_), "clFinish"); }
  bool ReachPeer(ComputeDevice& peer) override { return dynamic_cast<OpenClDevice*>(&peer) != nullptr; }

  void* Allocate(uint64_t bytes) override {
    if (bytes > free_ || (largest_piece_ != 0 && bytes > largest_piece_)) return nullptr;
    void* const allocated = clSVMAlloc(runtime_.context, CL_MEM_READ_WRITE, bytes + kAlignment, 0);
    if (allocated == nullptr) return nullptr;
    const uintptr_t aligned = (reinterpret_cast<uintptr_t>(allocated) + kAlignment - 1) / kAlignment * kAlignment;
    void* const memory = reinterpret_cast<void*>(aligned);
    pieces_[memory] = {allocated, bytes};
    free_ -= bytes;
    return memory;
  }

  void Free(void* memory) override {
    clFinish(queue_);
    const auto piece = pieces_.find(memory);
    free_ += piece->second.bytes;
    clSVMFree(runtime_.context, piece->second.allocated);
    pieces_.erase(piece);
  }

  uint64_t FreeBytes() override { return free_; }

  void Launch(const KernelLaunch& launch) override {
    const cl_kernel kernel = Kernel(launch);
    cl_uint index = 0;
    for (void* buffer : launch.buffers) Check(clSetKernelArgSVMPointer(kernel, index++, buffer), launch.kernel);
    Check(clSetKernelArg(kernel, index++, launch.arguments_size, launch.arguments), launch.kernel);
    if (launch.local_bytes != 0) Check(clSetKernelArg(kernel, index, launch.local_bytes, nullptr), launch.kernel);
    const size_t local = launch.group_size;
    const size_t global = launch.groups * local;
    const cl_int error = clEnqueueNDRangeKernel(queue_, kernel, 1, nullptr, &global, &local, 0, nullptr, nullptr);
    if (error == CL_INVALID_WORK_GROUP_SIZE || error == CL_INVALID_GLOBAL_WORK_SIZE || error == CL_OUT_OF_RESOURCES) {
      throw sdk::ToolError(absl::StrCat(launch.kernel, ": OpenCL error ", error));
    }
    Check(error, launch.kernel);
  }

  void Zero(void* memory, uint64_t bytes) override {
    const unsigned char zero = 0;
    Check(clEnqueueSVMMemFill(queue_, memory, &zero, 1, bytes, 0, nullptr, nullptr), "clEnqueueSVMMemFill");
  }

  void Copy(void* to, const void* from, uint64_t bytes) override {
    Check(clEnqueueSVMMemcpy(queue_, CL_FALSE, to, from, bytes, 0, nullptr, nullptr), "clEnqueueSVMMemcpy");
  }

  void ReadBack(void* host, const void* memory, uint64_t bytes) override {
    Check(clEnqueueSVMMemcpy(queue_, CL_TRUE, host, memory, bytes, 0, nullptr, nullptr), "clEnqueueSVMMemcpy");
  }

  bool WaitAtMost(double seconds) override {
    const std::unique_ptr<QueueEvent> end = Record();
    const auto limit = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    cl_int state = CL_QUEUED;
    do {
      Check(clGetEventInfo(static_cast<OpenClEvent&>(*end).event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(state),
                           &state, nullptr),
            "clGetEventInfo");
      Check(state < 0 ? state : CL_SUCCESS, "queued work");
    } while (state != CL_COMPLETE && std::chrono::steady_clock::now() < limit);
    return state == CL_COMPLETE;
  }

  std::unique_ptr<QueueEvent> Record() override {
    auto event = std::make_unique<OpenClEvent>();
    Check(clEnqueueMarkerWithWaitList(queue_, 0, nullptr, &event->event), "clEnqueueMarkerWithWaitList");
    // Nobody may wait for what is not on its way.
    Check(clFlush(queue_), "clFlush");
    return event;
  }

  void WaitFor(const QueueEvent& event) override {
    Check(clEnqueueBarrierWithWaitList(queue_, 1, &dynamic_cast<const OpenClEvent&>(event).event, nullptr),
          "clEnqueueBarrierWithWaitList");
  }

  std::string ModuleImage() override { return "#include \"suites/physical/api.kernels.h\"\n"; }

  std::unique_ptr<KernelModule> LoadModule(const std::string& path) override {
    std::ifstream file(path);
    const auto program = Build(runtime_, std::string(std::istreambuf_iterator<char>(file), {}));
    if (!program.ok()) return nullptr;
    return std::make_unique<OpenClModule>(*program);
  }

  double Seconds(const std::function<void()>& queue) override {
    Check(clFinish(queue_), "clFinish");
    const auto start = std::chrono::steady_clock::now();
    queue();
    Check(clFinish(queue_), "clFinish");
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  static constexpr uint64_t kAlignment = 256;

  struct Piece {
    void* allocated;
    uint64_t bytes;
  };

  cl_kernel Kernel(const KernelLaunch& launch) {
    const auto* const module = dynamic_cast<const OpenClModule*>(launch.module);
    const cl_program program = module == nullptr ? runtime_.program : module->program;
    cl_kernel& kernel = runtime_.kernels[{program, launch.kernel}];
    if (kernel != nullptr) return kernel;
    cl_int error = CL_SUCCESS;
    kernel = clCreateKernel(program, launch.kernel, &error);
    if (error != CL_SUCCESS) throw sdk::ToolError(absl::StrCat("no kernel ", launch.kernel, ": OpenCL error ", error));
    return kernel;
  }

  Runtime& runtime_;
  cl_command_queue queue_ = nullptr;
  uint64_t free_;
  const uint64_t largest_piece_;
  std::map<void*, Piece> pieces_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ComputeDevice>> OpenClCpu(uint64_t memory_bytes, uint64_t largest_piece) {
  static const auto& runtime = *new absl::StatusOr<Runtime*>(Start());
  if (!runtime.ok()) return runtime.status();
  return std::make_unique<OpenClDevice>(**runtime, memory_bytes, largest_piece);
}

}  // namespace muster::physical

#else

namespace muster::physical {

absl::StatusOr<std::unique_ptr<ComputeDevice>> OpenClCpu(uint64_t memory_bytes, uint64_t largest_piece) {
  return absl::NotFoundError(
      "built without OpenCL (never with sanitizers); Debian's packages are ocl-icd-opencl-dev and opencl-headers");
}

}  // namespace muster::physical

#endif
