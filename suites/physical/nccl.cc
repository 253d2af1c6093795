#include "suites/physical/nccl.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <cstdlib>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

// NCCL's ABI of version 2, by its API reference:
// https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/api/types.html
using Communicator = void*;
constexpr int kSuccess = 0;
constexpr int kSum = 0;
struct TypeInfo {
  int nccl;
  uint64_t bytes;
};
TypeInfo InfoOf(ReduceType type) {
  switch (type) {
    case ReduceType::kInt32:
      return {2, 4};
    case ReduceType::kFp32:
      return {7, 4};
    case ReduceType::kBf16:
      return {9, 2};
  }
  return {2, 4};
}

struct Functions {
  int (*get_version)(int* version);
  const char* (*get_error_string)(int result);
  int (*init_all)(Communicator* communicators, int count, const int* devices);
  int (*destroy)(Communicator communicator);
  int (*all_reduce)(const void* send, void* receive, size_t count, int type, int operation, Communicator communicator,
                    cudaStream_t stream);
  int (*group_start)();
  int (*group_end)();

  // False when `library` lacks one of them.
  bool Find(void* library) {
    const auto find = [library](auto& function, const char* name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    return find(get_version, "ncclGetVersion") && find(get_error_string, "ncclGetErrorString") &&
           find(init_all, "ncclCommInitAll") && find(destroy, "ncclCommDestroy") && find(all_reduce, "ncclAllReduce") &&
           find(group_start, "ncclGroupStart") && find(group_end, "ncclGroupEnd");
  }
};

class NcclReducer final : public Reducer {
 public:
  NcclReducer(const Functions& functions, std::string path, std::vector<CudaDevice*> devices)
      : nccl_(functions), path_(std::move(path)), devices_(std::move(devices)) {}
  // The library stays mapped: its threads may outlive a dlclose.
  ~NcclReducer() override {
    for (const Communicator communicator : communicators_) nccl_.destroy(communicator);
  }

  absl::Status Start() {
    std::vector<int> ordinals;
    for (const CudaDevice* device : devices_) ordinals.push_back(device->ordinal());
    std::vector<Communicator> communicators(devices_.size());
    const int result = nccl_.init_all(communicators.data(), static_cast<int>(ordinals.size()), ordinals.data());
    if (result != kSuccess)
      return absl::InternalError(absl::StrCat("ncclCommInitAll: ", nccl_.get_error_string(result)));
    communicators_ = std::move(communicators);
    return absl::OkStatus();
  }

  std::string Name() const override {
    int version = 0;
    nccl_.get_version(&version);
    // 22809 from version 2.9 on.
    return absl::StrCat("NCCL ", version / 10000, ".", version / 100 % 100, ".", version % 100, " of ", path_);
  }

  void Add(ReduceType type, const std::vector<void*>& given, const std::vector<void*>& sums, uint64_t bytes) override {
    const TypeInfo info = InfoOf(type);
    Check(nccl_.group_start());
    for (size_t i = 0; i < devices_.size(); ++i) {
      Check(nccl_.all_reduce(given[i], sums[i], bytes / info.bytes, info.nccl, kSum, communicators_[i],
                             devices_[i]->stream()));
    }
    Check(nccl_.group_end());
  }

 private:
  void Check(int result) const {
    if (result != kSuccess) throw sdk::DeviceFailure(absl::StrCat("ncclAllReduce: ", nccl_.get_error_string(result)));
  }

  const Functions nccl_;
  const std::string path_;
  const std::vector<CudaDevice*> devices_;
  std::vector<Communicator> communicators_;
};

}  // namespace

LibraryNames NcclNames() { return {.names = {"libnccl.so.2"}, .file = "libnccl.so.[0-9]*", .packages = {"nccl"}}; }

absl::StatusOr<std::unique_ptr<Reducer>> MakeNcclReducer(const std::vector<std::string>& candidates,
                                                         std::vector<CudaDevice*> devices) {
  setenv("NCCL_NVLS_ENABLE", "0", 0);
  for (const std::string& candidate : candidates) {
    void* const library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    Functions functions;
    if (library == nullptr || !functions.Find(library)) continue;
    auto reducer = std::make_unique<NcclReducer>(functions, candidate, std::move(devices));
    RETURN_IF_ERROR(reducer->Start());
    return reducer;
  }
  return absl::NotFoundError(absl::StrCat("no libnccl could be loaded; tried ", absl::StrJoin(candidates, ", "),
                                          "; install NCCL or set LD_LIBRARY_PATH or the parameter nccl_library"));
}

}  // namespace muster::physical
