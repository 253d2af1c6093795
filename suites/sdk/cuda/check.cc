#include "suites/sdk/cuda/check.h"

#include "absl/strings/str_cat.h"
#include "suites/sdk/outcome.h"

namespace muster::sdk::cuda {

bool IsDeviceFault(cudaError_t error) {
  switch (error) {
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorHardwareStackError:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorContained:
    case cudaErrorDevicesUnavailable:
    case cudaErrorNoDevice:
    case cudaErrorSystemNotReady:
    case cudaErrorUnknown:
      return true;
    default:
      return false;
  }
}

void Check(cudaError_t error, const char* expression, const char* file, int line) {
  if (error == cudaSuccess) return;
  const std::string message = absl::StrCat(expression, " gave ", cudaGetErrorName(error), " (",
                                           cudaGetErrorString(error), ") at ", file, ":", line);
  // An error that does not stick must not be seen again by a later cudaGetLastError.
  cudaGetLastError();
  if (IsDeviceFault(error)) throw DeviceFailure(message);
  throw ToolError(message);
}

}  // namespace muster::sdk::cuda
