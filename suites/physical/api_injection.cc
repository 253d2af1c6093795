#include "suites/physical/api_injection.h"

#include "absl/strings/numbers.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {

ApiInjection::ApiInjection(const std::string& text) : kind_(text.substr(0, text.find(':'))) {
  if (text.empty()) return;
  if (kind_.empty() || kind_.size() == text.size() || !absl::SimpleAtoi(text.substr(kind_.size() + 1), &number_)) {
    throw sdk::ToolError("inject_api: expected KIND:NUMBER, found " + text);
  }
}

std::optional<uint64_t> ApiInjection::Of(const std::string& kind) const {
  if (kind_.empty() || kind != kind_) return std::nullopt;
  return number_;
}

}  // namespace muster::physical
