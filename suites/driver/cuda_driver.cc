#include "suites/driver/cuda_driver.h"

#include <dlfcn.h>

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace muster::driver {
namespace {

constexpr int kSuccess = 0;
constexpr int kNoDevice = 100;

// Calls of libcuda.so.1 by name.
class Library {
 public:
  explicit Library(void* library) : library_(library) {}

  template <typename... Args>
  absl::Status Call(const char* symbol, Args... args) const {
    const int result = Result(symbol, args...);
    if (result == kSuccess) return absl::OkStatus();
    const char* name = nullptr;
    Result("cuGetErrorName", result, &name);
    return absl::FailedPreconditionError(absl::StrCat(symbol, " gave ", name == nullptr ? "an unknown error" : name));
  }

  // The return code; 500 (CUDA's "not found") when the library lacks the function.
  template <typename... Args>
  int Result(const char* symbol, Args... args) const {
    const auto function = reinterpret_cast<int (*)(Args...)>(dlsym(library_, symbol));
    return function == nullptr ? 500 : function(args...);
  }

 private:
  void* const library_;
};

std::string UuidText(const std::array<unsigned char, 16>& bytes) {
  std::string text = "GPU-";
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    absl::StrAppendFormat(&text, "%02x", static_cast<unsigned>(bytes[i]));
  }
  return text;
}

absl::StatusOr<CudaDevice> Describe(const Library& cuda, int ordinal) {
  int handle = 0;
  RETURN_IF_ERROR(cuda.Call("cuDeviceGet", &handle, ordinal));
  std::array<unsigned char, 16> uuid{};
  RETURN_IF_ERROR(cuda.Call("cuDeviceGetUuid", uuid.data(), handle));
  std::array<char, 32> address{};
  RETURN_IF_ERROR(cuda.Call("cuDeviceGetPCIBusId", address.data(), static_cast<int>(address.size()), handle));
  return CudaDevice{.uuid = UuidText(uuid), .pci_address = absl::AsciiStrToLower(address.data())};
}

}  // namespace

absl::StatusOr<CudaDriver> QueryCudaDriver() {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return absl::NotFoundError(absl::StrCat("cannot load the CUDA driver library: ", dlerror()));
  const Library cuda(library);
  CudaDriver driver;
  RETURN_IF_ERROR(cuda.Call("cuDriverGetVersion", &driver.version));
  if (cuda.Result("cuInit", 0u) == kNoDevice) return driver;
  RETURN_IF_ERROR(cuda.Call("cuInit", 0u));
  int count = 0;
  RETURN_IF_ERROR(cuda.Call("cuDeviceGetCount", &count));
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    ASSIGN_OR_RETURN(driver.devices.emplace_back(), Describe(cuda, ordinal));
  }
  return driver;
}

}  // namespace muster::driver
