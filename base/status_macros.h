// The project's only two macros: leave the function when a Status is not ok.
#ifndef MUSTER_BASE_STATUS_MACROS_H_
#define MUSTER_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns `expr`'s status from the calling function unless it is ok.
#define RETURN_IF_ERROR(expr)                                       \
  do {                                                              \
    if (absl::Status muster_status = (expr); !muster_status.ok()) { \
      return muster_status;                                         \
    }                                                               \
  } while (false)

// Declares or assigns `lhs` with the value of the StatusOr `expr`, or returns its status.
#define ASSIGN_OR_RETURN(lhs, expr) MUSTER_ASSIGN_OR_RETURN_(MUSTER_CONCAT_(muster_statusor_, __COUNTER__), lhs, expr)

#define MUSTER_CONCAT_(a, b) MUSTER_CONCAT_INNER_(a, b)
#define MUSTER_CONCAT_INNER_(a, b) a##b
#define MUSTER_ASSIGN_OR_RETURN_(result, lhs, expr)    \
  auto result = (expr);                                \
  if (!result.ok()) return std::move(result).status(); \
  lhs = std::move(result).value()

#endif  // MUSTER_BASE_STATUS_MACROS_H_
