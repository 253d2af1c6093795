#include "tests/hardware_sim/level_zero/kernel_library.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <map>

#include "absl/strings/str_split.h"

namespace muster::sim::ze {
namespace {

constexpr uint32_t kMaxKernels = 4096;
constexpr uint32_t kMaxArguments = 256;

using Kernels = std::map<std::string, const MusterSimKernel*, std::less<>>;

void AddLibrary(const std::string& path, Kernels& kernels) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "MUSTER_SIM_KERNELS: %s\n", dlerror());
    return;
  }
  const auto function = reinterpret_cast<MusterSimKernelsFunction>(dlsym(library, "MusterSimKernels"));
  const MusterSimKernelTable* table = function == nullptr ? nullptr : function();
  if (table == nullptr || table->version != MUSTER_SIM_KERNELS_VERSION || table->count > kMaxKernels) {
    std::fprintf(stderr, "MUSTER_SIM_KERNELS: %s: expected MusterSimKernels() with a table of version %d\n",
                 path.c_str(), MUSTER_SIM_KERNELS_VERSION);
    return;
  }
  for (uint32_t i = 0; i < table->count; ++i) {
    const MusterSimKernel& kernel = table->kernels[i];
    if (kernel.name == nullptr || kernel.run == nullptr || kernel.argument_count > kMaxArguments) {
      std::fprintf(stderr, "MUSTER_SIM_KERNELS: %s: kernel %u has no name, no function, or more than %u arguments\n",
                   path.c_str(), i, kMaxArguments);
      continue;
    }
    kernels.emplace(kernel.name, &kernel);
  }
}

const Kernels& AllKernels() {
  static const Kernels& all = *new Kernels([] {
    Kernels kernels;
    const char* paths = std::getenv("MUSTER_SIM_KERNELS");
    for (absl::string_view path : absl::StrSplit(paths == nullptr ? "" : paths, ':', absl::SkipEmpty())) {
      AddLibrary(std::string(path), kernels);
    }
    return kernels;
  }());
  return all;
}

}  // namespace

const MusterSimKernel* FindKernel(std::string_view name) {
  const auto it = AllKernels().find(name);
  return it == AllKernels().end() ? nullptr : it->second;
}

std::vector<std::string> KernelNames() {
  std::vector<std::string> names;
  for (const auto& [name, kernel] : AllKernels()) names.push_back(name);
  return names;
}

}  // namespace muster::sim::ze
