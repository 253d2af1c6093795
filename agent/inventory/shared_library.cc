#include "agent/inventory/shared_library.h"

#include <dlfcn.h>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/clean_text.h"

namespace muster::agent {

absl::StatusOr<std::unique_ptr<SharedLibrary>> SharedLibrary::Open(const std::vector<std::string>& candidates) {
  std::string broken;
  for (const std::string& candidate : candidates) {
    if (void* handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      return std::unique_ptr<SharedLibrary>(new SharedLibrary(handle));
    }
    const char* error = dlerror();
    const std::string why = base::CleanText(error == nullptr ? "dlopen failed" : error);
    // The loader says "No such file" of the library itself and of one that it needs; the latter is a broken
    // installation.
    const bool absent = absl::StartsWith(why, candidate) && absl::StrContains(why, "No such file");
    if (!absent && broken.empty()) broken = why;
  }
  if (!broken.empty()) return absl::FailedPreconditionError(absl::StrCat("cannot load it: ", broken));
  return absl::NotFoundError(absl::StrCat("found none of ", absl::StrJoin(candidates, ", ")));
}

void* SharedLibrary::FindSymbol(const char* symbol) const { return dlsym(handle_, symbol); }

}  // namespace muster::agent
