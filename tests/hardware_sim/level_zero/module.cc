// core: modules. SPIR-V is looked at (its header, the names of its entry points) and not compiled; a "native binary" is
// the same SPIR-V behind a few bytes of the simulation's own.
#include <level_zero/ze_ddi.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_format.h"
#include "tests/hardware_sim/level_zero/ddi_table.h"
#include "tests/hardware_sim/level_zero/kernel_library.h"
#include "tests/hardware_sim/level_zero/objects.h"

namespace muster::sim::ze {
namespace {

constexpr uint32_t kSpirvMagic = 0x07230203;
constexpr size_t kSpirvHeaderWords = 5;
constexpr uint32_t kOpEntryPoint = 15;
constexpr uint32_t kExecutionModelKernel = 6;
constexpr size_t kEntryPointNameWord = 3;
constexpr char kNativePrefix[8] = {'M', 'U', 'S', 'T', 'E', 'R', 'Z', 'E'};

// Calls `visit` with each instruction of a module of whole words. False when a length is not right.
template <typename Visit>
bool ForEachInstruction(const std::vector<uint32_t>& words, Visit visit) {
  for (size_t at = kSpirvHeaderWords; at < words.size();) {
    const size_t length = words[at] >> 16;
    if (length == 0 || length > words.size() - at) return false;
    visit(words[at] & 0xFFFF, &words[at], length);
    at += length;
  }
  return true;
}

// What is wrong with it, or nothing; `names` gets the kernels that it has.
std::string ReadSpirv(const std::vector<uint8_t>& bytes, std::vector<std::string>& names) {
  if (bytes.size() % 4 != 0 || bytes.size() < kSpirvHeaderWords * 4) {
    return absl::StrFormat("expected SPIR-V, whole words and %d or more, found %d bytes", kSpirvHeaderWords,
                           bytes.size());
  }
  std::vector<uint32_t> words(bytes.size() / 4);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  if (words[0] != kSpirvMagic)
    return absl::StrFormat("expected SPIR-V, magic number %#x, found %#x", kSpirvMagic, words[0]);
  const bool whole = ForEachInstruction(words, [&](uint32_t code, const uint32_t* word, size_t length) {
    if (code != kOpEntryPoint || length <= kEntryPointNameWord || word[1] != kExecutionModelKernel) return;
    const char* name = reinterpret_cast<const char*>(word + kEntryPointNameWord);
    names.emplace_back(name, strnlen(name, (length - kEntryPointNameWord) * 4));
  });
  return whole ? "" : "the SPIR-V ends in the middle of an instruction";
}

void GiveLog(const std::string& text, ze_module_build_log_handle_t* out) {
  if (out == nullptr) return;
  auto log = std::make_unique<BuildLog>();
  log->text = text;
  *out = reinterpret_cast<ze_module_build_log_handle_t>(log.release());
}

ze_result_t zeModuleCreate(ze_context_handle_t context, ze_device_handle_t device, const ze_module_desc_t* desc,
                           ze_module_handle_t* out, ze_module_build_log_handle_t* log) {
  if (To<Context>(context) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (desc == nullptr || out == nullptr || desc->pInputModule == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const Call call(ToDevice(device), __func__);
  if (call.failed()) return call.result();
  auto module = std::make_unique<Module>();
  module->device = ToDevice(device);
  const uint8_t* begin = desc->pInputModule;
  const uint8_t* const end = begin + desc->inputSize;
  if (desc->format == ZE_MODULE_FORMAT_NATIVE) {
    const bool ours =
        desc->inputSize >= sizeof(kNativePrefix) && std::memcmp(begin, kNativePrefix, sizeof(kNativePrefix)) == 0;
    if (!ours) return ZE_RESULT_ERROR_INVALID_NATIVE_BINARY;
    begin += sizeof(kNativePrefix);
  }
  module->spirv.assign(begin, end);
  const std::string problem = ReadSpirv(module->spirv, module->names);
  GiveLog(problem, log);
  if (!problem.empty()) return ZE_RESULT_ERROR_MODULE_BUILD_FAILURE;
  *out = reinterpret_cast<ze_module_handle_t>(module.release());
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeModuleDestroy(ze_module_handle_t handle) {
  Module* module = To<Module>(handle);
  if (module == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  delete module;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeModuleGetNativeBinary(ze_module_handle_t handle, size_t* size, uint8_t* out) {
  const Module* module = To<Module>(handle);
  if (module == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (size == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const size_t full = sizeof(kNativePrefix) + module->spirv.size();
  if (out != nullptr) {
    if (*size < full) return ZE_RESULT_ERROR_INVALID_SIZE;
    std::memcpy(out, kNativePrefix, sizeof(kNativePrefix));
    std::copy(module->spirv.begin(), module->spirv.end(), out + sizeof(kNativePrefix));
  }
  *size = full;
  return ZE_RESULT_SUCCESS;
}

// A module without entry points may be launched by any name that there is a function for.
ze_result_t zeModuleGetKernelNames(ze_module_handle_t handle, uint32_t* count, const char** out) {
  Module* module = To<Module>(handle);
  if (module == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  const Call call(module->device, __func__);
  if (call.failed()) return call.result();
  return ListItems(module->names.size(), count, out,
                   [&](uint32_t i, const char*& name) { name = module->names[i].c_str(); });
}

ze_result_t zeModuleGetProperties(ze_module_handle_t handle, ze_module_properties_t* properties) {
  if (To<Module>(handle) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (properties == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  properties->flags = 0;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeModuleDynamicLink(uint32_t count, ze_module_handle_t* modules, ze_module_build_log_handle_t* log) {
  if (modules == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  for (uint32_t i = 0; i < count; ++i) {
    if (To<Module>(modules[i]) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  }
  GiveLog("", log);
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeModuleBuildLogDestroy(ze_module_build_log_handle_t handle) {
  BuildLog* log = To<BuildLog>(handle);
  if (log == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  delete log;
  return ZE_RESULT_SUCCESS;
}

ze_result_t zeModuleBuildLogGetString(ze_module_build_log_handle_t handle, size_t* size, char* out) {
  const BuildLog* log = To<BuildLog>(handle);
  if (log == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (size == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const size_t full = log->text.size() + 1;
  if (out != nullptr) {
    if (*size < full) return ZE_RESULT_ERROR_INVALID_SIZE;
    std::memcpy(out, log->text.c_str(), full);
  }
  *size = full;
  return ZE_RESULT_SUCCESS;
}

}  // namespace
}  // namespace muster::sim::ze

namespace ze = muster::sim::ze;

MUSTER_ZE_EXPORT zeGetModuleProcAddrTable(ze_api_version_t version, ze_module_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnCreate = ze::zeModuleCreate;
  table->pfnDestroy = ze::zeModuleDestroy;
  table->pfnDynamicLink = ze::zeModuleDynamicLink;
  table->pfnGetNativeBinary = ze::zeModuleGetNativeBinary;
  table->pfnGetKernelNames = ze::zeModuleGetKernelNames;
  table->pfnGetProperties = ze::zeModuleGetProperties;
  return ZE_RESULT_SUCCESS;
}

MUSTER_ZE_EXPORT zeGetModuleBuildLogProcAddrTable(ze_api_version_t version, ze_module_build_log_dditable_t* table) {
  const ze_result_t result = ze::StartTable(version, table);
  if (result != ZE_RESULT_SUCCESS) return result;
  table->pfnDestroy = ze::zeModuleBuildLogDestroy;
  table->pfnGetString = ze::zeModuleBuildLogGetString;
  return ZE_RESULT_SUCCESS;
}
