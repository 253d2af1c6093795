// How this driver fills the function tables that a loader asks for ("DDI tables").
//
// Muster builds with the headers of API 1.4, the loaders that it meets are of 1.4 to 1.17. A loader's table is as long
// as its own version has it, and longer from version to version. So: never write more than the version asked for has,
// never refuse a newer one. Fields that 1.4 does not know are declared in this folder, each with the version that added
// it.
#ifndef MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_DDI_TABLE_H_
#define MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_DDI_TABLE_H_

#include <level_zero/ze_api.h>

#include <cstring>

// A function that a loader finds by name; everything else in the library is hidden.
#define MUSTER_ZE_EXPORT extern "C" __attribute__((visibility("default"))) ze_result_t ZE_APICALL

namespace muster::sim::ze {

// In every entry that is not implemented. A null one would have the loader answer UNINITIALIZED when it has several
// drivers. Called with the arguments of any function: the C calling conventions that Level Zero is used with leave them
// to the caller.
inline ze_result_t ZE_APICALL NotImplemented() { return ZE_RESULT_ERROR_UNSUPPORTED_FEATURE; }

// Fills the table of API 1.4 with NotImplemented.
template <typename Table>
ze_result_t StartTable(ze_api_version_t version, Table* table) {
  if (table == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (ZE_MAJOR_VERSION(version) != 1 || version < ZE_API_VERSION_1_4) return ZE_RESULT_ERROR_UNSUPPORTED_VERSION;
  using Function = ze_result_t(ZE_APICALL*)();
  static_assert(sizeof(Table) % sizeof(Function) == 0, "a table is nothing but pointers");
  const Function not_implemented = NotImplemented;
  for (size_t at = 0; at < sizeof(Table); at += sizeof(Function)) {
    std::memcpy(reinterpret_cast<char*>(table) + at, &not_implemented, sizeof(Function));
  }
  return ZE_RESULT_SUCCESS;
}

// The `index`-th entry behind the table of API 1.4, which version 1.`minor` added.
template <typename Table, typename Function>
void SetLaterEntry(ze_api_version_t version, Table* table, uint32_t minor, size_t index, Function function) {
  if (static_cast<uint32_t>(version) < ZE_MAKE_VERSION(1, minor)) return;
  std::memcpy(reinterpret_cast<char*>(table) + sizeof(Table) + index * sizeof(function), &function, sizeof(function));
}

}  // namespace muster::sim::ze

#endif  // MUSTER_TESTS_HARDWARE_SIM_LEVEL_ZERO_DDI_TABLE_H_
