#include "base/textproto.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "base/file.h"
#include "base/status_macros.h"

namespace muster::base {
namespace {

constexpr size_t kMaxErrors = 5;
constexpr int kMaxDepth = 32;

class Errors final : public google::protobuf::io::ErrorCollector {
 public:
  explicit Errors(std::string_view source) : source_(source) {}

#if GOOGLE_PROTOBUF_VERSION >= 4022000
  void RecordError(int line, google::protobuf::io::ColumnNumber column, absl::string_view message) override {
    Add(line, column, message);
  }
#else
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    Add(line, column, message);
  }
#endif

  absl::Status status() const {
    if (errors_.empty()) return absl::InvalidArgumentError(absl::StrCat(source_, ": not a text protocol buffer"));
    return absl::InvalidArgumentError(absl::StrJoin(errors_, "\n"));
  }

 private:
  // Protobuf counts from 0; -1 means the whole text.
  void Add(int line, int column, absl::string_view message) {
    if (errors_.size() >= kMaxErrors) return;
    errors_.push_back(line < 0 ? absl::StrCat(source_, ": ", message)
                               : absl::StrCat(source_, ":", line + 1, ":", column + 1, ": ", message));
  }

  std::string source_;
  std::vector<std::string> errors_;
};

}  // namespace

absl::Status ParseTextProto(std::string_view text, std::string_view source, google::protobuf::Message* message,
                            uint64_t max_bytes) {
  if (text.size() > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(source), " is longer than the limit of ", max_bytes, " bytes"));
  }
  message->Clear();
  Errors errors(source);
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&errors);
  parser.SetRecursionLimit(kMaxDepth);
  google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  return parser.Parse(&stream, message) ? absl::OkStatus() : errors.status();
}

absl::Status ReadTextProto(const std::string& path, google::protobuf::Message* message) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxTextProtoBytes));
  return ParseTextProto(text, path, message);
}

}  // namespace muster::base
