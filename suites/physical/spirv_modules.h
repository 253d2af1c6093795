// The SPIR-V modules that the build made of the kernels (X.kernels.h becomes the module "X"), as part of the program.
#ifndef MUSTER_SUITES_PHYSICAL_SPIRV_MODULES_H_
#define MUSTER_SUITES_PHYSICAL_SPIRV_MODULES_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace muster::physical {

struct SpirvModule {
  const char* name = "";
  // Checked by spirv-val when it was built: drivers end the process over a module that is not in order.
  std::span<const uint32_t> words;
};

// Empty when the build found no tools for SPIR-V.
std::vector<SpirvModule> SpirvModules();

std::vector<std::string> KernelNames(const SpirvModule& module);
// Such a module is refused by GPUs without double precision.
bool NeedsDoublePrecision(const SpirvModule& module);

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_SPIRV_MODULES_H_
