#include "base/regex.h"

#include <re2/re2.h>

#include <utility>

namespace muster::base {
namespace {

constexpr int64_t kMaxMemoryBytes = 1 << 20;

}  // namespace

absl::StatusOr<Regex> CompileRegex(std::string_view pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemoryBytes);
  auto regex = std::make_shared<const re2::RE2>(std::string(pattern), options);
  if (!regex->ok()) return absl::InvalidArgumentError(regex->error());
  return Regex(std::move(regex));
}

bool FullMatch(const Regex& regex, const std::string& text) { return re2::RE2::FullMatch(text, *regex); }

}  // namespace muster::base
