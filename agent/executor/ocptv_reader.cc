#include "agent/executor/ocptv_reader.h"

#include <string>

#include "base/text.h"

namespace muster::agent {
namespace {

constexpr size_t kExampleBytes = 120;

// Libraries that print to standard output begin no line with a brace; a line that does was meant as an artifact.
bool LooksLikeJson(std::string_view line) {
  const size_t begin = line.find_first_not_of(" \t\r");
  return begin != std::string_view::npos && line[begin] == '{';
}

}  // namespace

void OcptvReader::Take(std::string_view bytes) {
  lines_.Take(bytes, [this](const LineSplitter::Line& line) { TakeLine(line); });
}

void OcptvReader::End() {
  lines_.End([this](const LineSplitter::Line& line) { TakeLine(line); });
  DeliverHeld(true);
}

void OcptvReader::TakeLine(const LineSplitter::Line& line) {
  if (line.text.find_first_not_of(" \t\r") == std::string_view::npos) return;
  if (!LooksLikeJson(line.text)) {
    sink_.OnNote("stray-output",
                 base::Text("standard output holds a line that is not OCPTV: ", line.text.substr(0, kExampleBytes)));
    sink_.OnStray(line.text);
    return;
  }
  if (line.cut_bytes > 0) {
    sink_.OnFault("line-too-long",
                  base::Text("a line of ", line.text.size() + line.cut_bytes, " bytes, expected at most ",
                             kMaxOcptvLineBytes, ": ", line.text.substr(0, kExampleBytes)));
    return;
  }
  absl::StatusOr<v1::ocptv::Root> root = ParseOcptvLine(line.text, mode_);
  if (root.ok()) {
    if (!line.terminated) sink_.OnNote("no-final-newline", "the last line does not end with a newline");
    return TakeRoot(*std::move(root));
  }
  sink_.OnFault(line.terminated ? "malformed-line" : "half-line",
                base::Text(std::string_view(root.status().message().data(), root.status().message().size()), ": ",
                           line.text.substr(0, kExampleBytes)));
  sink_.OnStray(line.text);
}

void OcptvReader::TakeRoot(v1::ocptv::Root root) {
  const int64_t number = root.sequence_number();
  const bool compatible = mode_ == OcptvMode::kCompatible;
  // Several runs in one stream: the numbers of the next one may begin anew.
  if (compatible && root.has_schema_version() && next_number_ && number < *next_number_) {
    DeliverHeld(true);
    next_number_.reset();
  }
  if (!compatible || !next_number_ || number == *next_number_) {
    Deliver(root);
    DeliverHeld(false);
    return;
  }
  if (number < *next_number_ || held_.contains(number)) {
    sink_.OnFault("duplicate-number", base::Text("sequence number ", number, " came twice or too late"));
    return;
  }
  held_.emplace(number, std::move(root));
  if (held_.size() > kReorderWindow) {
    next_number_.reset();
    const auto first = held_.begin();
    sink_.OnFault("sequence-gap", base::Text("sequence numbers before ", first->first, " are missing"));
    DeliverHeld(false);
  }
}

void OcptvReader::DeliverHeld(bool all) {
  while (!held_.empty()) {
    const auto first = held_.begin();
    if (!all && next_number_ && first->first != *next_number_) return;
    const v1::ocptv::Root root = std::move(first->second);
    held_.erase(first);
    Deliver(root);
  }
}

void OcptvReader::Deliver(const v1::ocptv::Root& root) {
  const int64_t number = root.sequence_number();
  if (next_number_ && number < *next_number_) {
    sink_.OnFault("duplicate-number",
                  base::Text("expected sequence number ", *next_number_, ", found ", number, " again"));
    return;
  }
  if (next_number_ && number > *next_number_) {
    sink_.OnFault("sequence-gap",
                  base::Text("expected sequence number ", *next_number_, ", found ", number, ": lines were lost"));
  }
  next_number_ = number + 1;
  if (root.has_schema_version()) return TakeSchema(root);
  if (schema_ == kNone) {
    schema_ = kWrong;
    sink_.OnFault("no-schema-version", "the first artifact is no schemaVersion; nothing of the output is taken");
  }
  if (schema_ == kGood) sink_.OnArtifact(root);
}

void OcptvReader::TakeSchema(const v1::ocptv::Root& root) {
  const v1::ocptv::SchemaVersion& version = root.schema_version();
  if (schema_ == kGood && mode_ == OcptvMode::kStrict) {
    sink_.OnFault("second-schema-version", "schemaVersion is there a second time");
    return;
  }
  if (version.major() == 2) {
    if (schema_ == kNone) schema_ = kGood;
    if (version.minor() != 0)
      sink_.OnNote("schema-version", base::Text("minor version ", version.minor(), ", expected 0"));
    return;
  }
  schema_ = kWrong;
  sink_.OnFault("schema-version", base::Text("schemaVersion ", version.major(), ".", version.minor(),
                                             ", expected 2.0; nothing of the output is taken"));
}

}  // namespace muster::agent
