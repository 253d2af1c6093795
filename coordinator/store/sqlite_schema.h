// The tables of the coordinator's database, and how an older database becomes a newer one.
//
// Protos are kept whole where nobody queries their fields; what queries and baselines look at has columns. A
// measurement's names are in measurement_names, once for the whole fleet.
#ifndef MUSTER_COORDINATOR_STORE_SQLITE_SCHEMA_H_
#define MUSTER_COORDINATOR_STORE_SQLITE_SCHEMA_H_

#include "absl/status/status.h"
#include "coordinator/store/sqlite.h"

namespace muster::coordinator {

// PRAGMA user_version of a database that this program writes.
int SchemaVersion();

// Brings the database to SchemaVersion(), each step in a transaction of its own. FailedPrecondition when it is newer
// than that.
absl::Status MigrateSchema(Connection& connection);

}  // namespace muster::coordinator

#endif  // MUSTER_COORDINATOR_STORE_SQLITE_SCHEMA_H_
