// A shared library found at run time, by dlopen: the program links none of the vendors' libraries.
#ifndef MUSTER_AGENT_INVENTORY_SHARED_LIBRARY_H_
#define MUSTER_AGENT_INVENTORY_SHARED_LIBRARY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace muster::agent {

class SharedLibrary {
 public:
  // Opens the first of `candidates` (a bare name: where the loader looks; a path: there) that can be opened. NotFound
  // when none is there, FailedPrecondition when one is there and does not load.
  static absl::StatusOr<std::unique_ptr<SharedLibrary>> Open(const std::vector<std::string>& candidates);

  // Never unloads: drivers leave threads and exit handlers behind.
  ~SharedLibrary() = default;

  // Null when the library has no such symbol.
  template <typename Function>
  Function Find(const char* symbol) const {
    return reinterpret_cast<Function>(FindSymbol(symbol));
  }

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}
  void* FindSymbol(const char* symbol) const;

  void* handle_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_INVENTORY_SHARED_LIBRARY_H_
