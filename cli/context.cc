#include "cli/context.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/json.h"
#include "base/status_macros.h"

namespace muster::cli {

size_t Context::table_width() const { return environment_.out_is_terminal ? environment_.terminal_size().width : 0; }

absl::StatusOr<Client*> Context::client() {
  if (client_ == nullptr) {
    ASSIGN_OR_RETURN(Endpoint endpoint, ResolveEndpoint(options_.endpoint, environment_));
    client_ = std::make_unique<Client>(std::move(endpoint));
  }
  return client_.get();
}

absl::Status Context::WriteFile(const std::string& path, const std::string& content) const {
  if (path == "-") {
    out() << content;
    return absl::OkStatus();
  }
  return base::WriteFileAtomic(path, content);
}

std::string Context::Json(const google::protobuf::Message& message) {
  std::string json = base::ToJson(message, base::JsonStyle::kIndented);
  if (json.empty() || json.back() != '\n') json += '\n';
  return json;
}

Palette Context::MakePalette(bool terminal) const {
  Palette palette;
  palette.colour =
      options_.colour == "always" || (options_.colour == "auto" && terminal && !environment_.variable("NO_COLOR") &&
                                      environment_.variable("TERM") != "dumb");
  std::string locale;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (const auto value = environment_.variable(name); value && locale.empty()) locale = absl::AsciiStrToLower(*value);
  }
  // Files and pipes are UTF-8; a terminal says what it can show.
  palette.unicode = !terminal || absl::StrContains(locale, "utf-8") || absl::StrContains(locale, "utf8");
  return palette;
}

}  // namespace muster::cli
