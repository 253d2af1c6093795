// The faults that the cases of the API make by themselves, to see that they find them: "KIND:NUMBER" of the parameter
// inject_api. Each case knows its own kinds and leaves the others' alone.
#ifndef MUSTER_SUITES_PHYSICAL_API_INJECTION_H_
#define MUSTER_SUITES_PHYSICAL_API_INJECTION_H_

#include <cstdint>
#include <optional>
#include <string>

namespace muster::physical {

class ApiInjection {
 public:
  ApiInjection() = default;
  // Empty text: none. Throws ToolError for what is neither that nor KIND:NUMBER.
  explicit ApiInjection(const std::string& text);

  // The number, where the fault is of this kind.
  std::optional<uint64_t> Of(const std::string& kind) const;

 private:
  std::string kind_;
  uint64_t number_ = 0;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_API_INJECTION_H_
