#include "cli/demo/ready_file.h"

#include <google/protobuf/struct.pb.h>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/json.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace muster::cli {

absl::StatusOr<ReadyAddresses> ReadReadyFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, base::ReadFile(path, 4'096));
  google::protobuf::Struct values;
  RETURN_IF_ERROR(base::FromJson(text, base::UnknownFields::kIgnore, &values));
  const auto text_of = [&](const char* name) {
    const auto found = values.fields().find(name);
    return found == values.fields().end() ? std::string() : found->second.string_value();
  };
  ReadyAddresses addresses{.listen = text_of("listen"), .http = text_of("http")};
  if (addresses.listen.empty() || addresses.http.empty()) {
    return absl::InternalError(
        absl::StrCat(path, ": expected the coordinator's addresses, listen and http, found ", base::Quoted(text)));
  }
  return addresses;
}

}  // namespace muster::cli
