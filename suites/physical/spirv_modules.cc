#include "suites/physical/spirv_modules.h"

#include <cstring>
#include <functional>

namespace muster::physical {
namespace {

// "SPIR-V Specification", sections 2.3, 3.31 (capabilities) and 3.37 (instructions).
constexpr size_t kHeaderWords = 5;
constexpr uint32_t kOpEntryPoint = 15;
constexpr uint32_t kOpCapability = 17;
constexpr uint32_t kCapabilityFloat64 = 10;
constexpr size_t kEntryPointNameWord = 3;

void ForEachInstruction(const SpirvModule& module, uint32_t code,
                        const std::function<void(std::span<const uint32_t> instruction)>& visit) {
  for (size_t at = kHeaderWords; at < module.words.size();) {
    const size_t length = module.words[at] >> 16;
    if (length == 0 || length > module.words.size() - at) return;
    if ((module.words[at] & 0xffff) == code) visit(module.words.subspan(at, length));
    at += length;
  }
}

}  // namespace

std::vector<std::string> KernelNames(const SpirvModule& module) {
  std::vector<std::string> names;
  ForEachInstruction(module, kOpEntryPoint, [&](std::span<const uint32_t> instruction) {
    if (instruction.size() <= kEntryPointNameWord) return;
    const auto name = instruction.subspan(kEntryPointNameWord);
    const auto* const text = reinterpret_cast<const char*>(name.data());
    names.emplace_back(text, strnlen(text, name.size_bytes()));
  });
  return names;
}

bool NeedsDoublePrecision(const SpirvModule& module) {
  bool needs = false;
  ForEachInstruction(module, kOpCapability, [&](std::span<const uint32_t> instruction) {
    needs |= instruction.size() > 1 && instruction[1] == kCapabilityFloat64;
  });
  return needs;
}

}  // namespace muster::physical
