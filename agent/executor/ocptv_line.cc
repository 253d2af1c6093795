#include "agent/executor/ocptv_line.h"

#include <cmath>
#include <cstdlib>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "base/text.h"
#include "base/utf8.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"

namespace muster::agent {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Required fields of each message, by their JSON names.
const absl::flat_hash_map<std::string_view, std::string_view>& RequiredFields() {
  static const auto* const table = new absl::flat_hash_map<std::string_view, std::string_view>{
      {"Root", "sequenceNumber,timestamp"},
      {"SchemaVersion", "major,minor"},
      {"TestRunStart", "name,version,commandLine,parameters,dutInfo"},
      {"TestRunEnd", "status,result"},
      {"DutInfo", "dutInfoId"},
      {"PlatformInfo", "info"},
      {"SoftwareInfo", "softwareInfoId,name"},
      {"HardwareInfo", "hardwareInfoId,name"},
      {"TestStepArtifact", "testStepId"},
      {"TestStepStart", "name"},
      {"TestStepEnd", "status"},
      {"Measurement", "name,value"},
      {"MeasurementSeriesStart", "measurementSeriesId,name"},
      {"MeasurementSeriesElement", "index,measurementSeriesId,value,timestamp"},
      {"MeasurementSeriesEnd", "measurementSeriesId,totalCount"},
      {"Diagnosis", "verdict,type"},
      {"Error", "symptom"},
      {"Log", "severity,message"},
      {"File", "displayName,uri,isSnapshot"},
      {"Extension", "name,content"},
      {"Subcomponent", "name"},
      {"Validator", "type,value"},
      {"SourceLocation", "file,line"},
  };
  return *table;
}

// The values of fields that the specification enumerates, by message and JSON name.
const absl::flat_hash_map<std::string_view, std::string_view>& EnumeratedFields() {
  static const auto* const table = new absl::flat_hash_map<std::string_view, std::string_view>{
      {"TestRunEnd.status", "COMPLETE,ERROR,SKIP"},
      {"TestRunEnd.result", "NOT_APPLICABLE,PASS,FAIL"},
      {"TestStepEnd.status", "COMPLETE,ERROR,SKIP"},
      {"Diagnosis.type", "PASS,FAIL,UNKNOWN"},
      {"Log.severity", "INFO,DEBUG,WARNING,ERROR,FATAL"},
      {"SoftwareInfo.softwareType", "UNSPECIFIED,FIRMWARE,SYSTEM,APPLICATION"},
      {"Subcomponent.type", "UNSPECIFIED,ASIC,ASIC-SUBSYSTEM,BUS,FUNCTION,CONNECTOR"},
      {"Validator.type",
       "EQUAL,NOT_EQUAL,LESS_THAN,LESS_THAN_OR_EQUAL,GREATER_THAN,GREATER_THAN_OR_EQUAL,REGEX_MATCH,REGEX_NO_MATCH,"
       "IN_SET,NOT_IN_SET"},
  };
  return *table;
}

// The first word of a comma-separated list, which it is taken off.
std::string_view TakeWord(std::string_view& list) {
  const size_t comma = list.find(',');
  const std::string_view word = list.substr(0, comma);
  list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
  return word;
}

bool Listed(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    if (TakeWord(list) == word) return true;
  }
  return false;
}

// What a JSON value is expected to be.
struct Expected {
  enum Kind { kAnything, kMessage, kObject, kText, kInteger, kTruth } kind = kAnything;
  const Descriptor* message = nullptr;     // With kMessage.
  const FieldDescriptor* field = nullptr;  // For messages and enumerations.
};

Expected ExpectedOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return {Expected::kText, nullptr, &field};
    case FieldDescriptor::CPPTYPE_BOOL:
      return {Expected::kTruth, nullptr, &field};
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field.message_type()->name() == "Value") return {Expected::kAnything, nullptr, &field};
      if (field.message_type()->name() == "Struct") return {Expected::kObject, nullptr, &field};
      return {Expected::kMessage, field.message_type(), &field};
    default:
      return {Expected::kInteger, nullptr, &field};
  }
}

// A recursive descent over one document; its depth is bounded by kMaxOcptvDepth.
class LineChecker {
 public:
  LineChecker(std::string_view text, OcptvMode mode) : text_(text), compatible_(mode == OcptvMode::kCompatible) {}

  absl::Status Check() {
    SkipSpace();
    RETURN_IF_ERROR(CheckValue({Expected::kMessage, v1::ocptv::Root::descriptor(), nullptr}, 0));
    SkipSpace();
    return at_ == text_.size() ? absl::OkStatus() : Wrong("nothing after the document");
  }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Skip(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  absl::Status Wrong(std::string_view expected) const {
    return absl::InvalidArgumentError(base::Text("expected ", expected, " at byte ", at_));
  }
  static std::string NameOf(const Expected& expected) {
    return expected.field == nullptr ? "the document" : std::string(expected.field->json_name());
  }

  absl::Status CheckValue(const Expected& expected, int depth) {
    if (depth > kMaxOcptvDepth) return Wrong(base::Text("at most ", kMaxOcptvDepth, " levels"));
    switch (Peek()) {
      case '{':
        return CheckObject(expected, depth);
      case '[':
        if (expected.kind != Expected::kAnything) return WrongType(expected);
        return CheckArray(expected, depth);
      case '"':
        return CheckText(expected);
      case 't':
      case 'f':
        if (expected.kind != Expected::kAnything && expected.kind != Expected::kTruth) return WrongType(expected);
        return CheckWord(Peek() == 't' ? "true" : "false");
      case 'n':
        return CheckNull(expected);
      default:
        return CheckNumber(expected);
    }
  }

  absl::Status WrongType(const Expected& expected) const {
    static constexpr std::string_view kNames[] = {"a value", "an object",  "an object",
                                                  "a text",  "an integer", "true or false"};
    return Wrong(base::Text(kNames[expected.kind], " for ", NameOf(expected)));
  }

  absl::Status CheckNull(const Expected& expected) {
    // Within free content null is data; for a field of the specification it is the libraries' way of leaving it out.
    if (expected.field != nullptr && !compatible_) return WrongType(expected);
    if (expected.kind == Expected::kMessage && expected.field == nullptr) return WrongType(expected);
    return CheckWord("null");
  }

  absl::Status CheckWord(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return Wrong("a JSON value");
    at_ += word.size();
    return absl::OkStatus();
  }

  absl::Status CheckNumber(const Expected& expected) {
    const size_t begin = at_;
    Skip('-');
    if (!Skip('0') && !SkipDigits()) return Wrong("a JSON value");
    bool integer = true;
    if (Skip('.')) {
      integer = false;
      if (!SkipDigits()) return Wrong("digits after the decimal point");
    }
    if (Peek() == 'e' || Peek() == 'E') {
      integer = false;
      ++at_;
      if (!Skip('+')) Skip('-');
      if (!SkipDigits()) return Wrong("digits in the exponent");
    }
    const std::string number(text_.substr(begin, at_ - begin));
    if (expected.kind != Expected::kAnything && expected.kind != Expected::kInteger) return WrongType(expected);
    if (expected.kind == Expected::kInteger && !integer) return WrongType(expected);
    if (!std::isfinite(std::strtod(number.c_str(), nullptr)))
      return Wrong("a number within the range of a double before");
    return absl::OkStatus();
  }
  bool SkipDigits() {
    const size_t begin = at_;
    while (Peek() >= '0' && Peek() <= '9') ++at_;
    return at_ > begin;
  }

  absl::Status CheckText(const Expected& expected) {
    if (expected.kind != Expected::kAnything && expected.kind != Expected::kText) return WrongType(expected);
    ASSIGN_OR_RETURN(const std::string_view raw, ScanString());
    if (expected.kind != Expected::kText || (compatible_ && raw.empty())) return absl::OkStatus();
    const std::string name = base::Text(expected.field->containing_type()->name(), ".", expected.field->json_name());
    const auto found = EnumeratedFields().find(name);
    if (found == EnumeratedFields().end() || Listed(found->second, raw)) return absl::OkStatus();
    if (compatible_ && name == "Subcomponent.type" && raw == "ASIC_SUBSYSTEM") return absl::OkStatus();
    return absl::InvalidArgumentError(
        base::Text(name, " is \"", raw.substr(0, 64), "\", expected one of ", found->second));
  }

  // Returns what is between the quotes, escapes as they are.
  absl::StatusOr<std::string_view> ScanString() {
    if (!Skip('"')) return Wrong("a text");
    const size_t begin = at_;
    while (at_ < text_.size()) {
      const unsigned char c = text_[at_];
      if (c == '"') return text_.substr(begin, at_++ - begin);
      if (c < 0x20) return Wrong("no control character within a text");
      if (c == '\\') {
        RETURN_IF_ERROR(ScanEscape());
        continue;
      }
      const size_t length = base::Utf8SequenceLength(text_.substr(at_));
      if (length == 0) return Wrong("valid UTF-8");
      at_ += length;
    }
    return Wrong("the closing quote");
  }

  absl::Status ScanEscape() {
    ++at_;
    if (std::string_view("\"\\/bfnrt").find(Peek()) != std::string_view::npos && Peek() != '\0') {
      ++at_;
      return absl::OkStatus();
    }
    unsigned unit = 0;
    RETURN_IF_ERROR(ScanUnit(unit));
    if (unit >= 0xdc00 && unit <= 0xdfff) return Wrong("no lone surrogate before");
    if (unit < 0xd800 || unit > 0xdbff) return absl::OkStatus();
    if (!Skip('\\')) return Wrong("the second half of a surrogate pair");
    RETURN_IF_ERROR(ScanUnit(unit));
    return unit >= 0xdc00 && unit <= 0xdfff ? absl::OkStatus() : Wrong("the second half of a surrogate pair before");
  }
  // "uXXXX".
  absl::Status ScanUnit(unsigned& unit) {
    if (!Skip('u')) return Wrong("an escape of JSON");
    unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = Peek();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return Wrong("four hexadecimal digits");
      unit = unit * 16 + digit;
    }
    return absl::OkStatus();
  }

  absl::Status CheckArray(const Expected& element, int depth) {
    ++at_;
    SkipSpace();
    if (Skip(']')) return absl::OkStatus();
    const Expected inner = element.kind == Expected::kAnything ? Expected{} : element;
    while (true) {
      SkipSpace();
      RETURN_IF_ERROR(CheckValue(inner, depth + 1));
      SkipSpace();
      if (Skip(']')) return absl::OkStatus();
      if (!Skip(',')) return Wrong("',' or ']'");
    }
  }

  absl::Status CheckObject(const Expected& expected, int depth) {
    if (expected.kind != Expected::kAnything && expected.kind != Expected::kMessage &&
        expected.kind != Expected::kObject) {
      return WrongType(expected);
    }
    ++at_;
    absl::flat_hash_set<std::string_view> keys;
    SkipSpace();
    if (!Skip('}')) {
      while (true) {
        SkipSpace();
        ASSIGN_OR_RETURN(const std::string_view key, ScanString());
        if (!keys.insert(key).second) {
          return absl::InvalidArgumentError(base::Text("the key \"", key.substr(0, 64), "\" is there twice"));
        }
        SkipSpace();
        if (!Skip(':')) return Wrong("':'");
        SkipSpace();
        const bool null = Peek() == 'n';
        RETURN_IF_ERROR(CheckMember(expected, key, depth));
        // An absent field in the libraries' words; free content keeps its null.
        if (null && expected.kind == Expected::kMessage) keys.erase(key);
        SkipSpace();
        if (Skip('}')) break;
        if (!Skip(',')) return Wrong("',' or '}'");
      }
    }
    return expected.kind == Expected::kMessage ? CheckComplete(*expected.message, keys) : absl::OkStatus();
  }

  absl::Status CheckMember(const Expected& object, std::string_view key, int depth) {
    if (object.kind != Expected::kMessage) return CheckValue({}, depth + 1);
    const FieldDescriptor* const field = FindField(*object.message, key);
    if (field == nullptr) {
      if (compatible_) return CheckValue({}, depth + 1);
      return absl::InvalidArgumentError(
          base::Text(object.message->name(), " has no field \"", key.substr(0, 64), "\""));
    }
    const Expected expected = ExpectedOf(*field);
    if (!field->is_repeated()) return CheckValue(expected, depth + 1);
    if (Peek() == '[') return CheckArray(expected, depth + 1);
    if (compatible_ && Peek() == 'n') return CheckWord("null");
    return Wrong(base::Text("an array for ", field->json_name()));
  }

  static const FieldDescriptor* FindField(const Descriptor& message, std::string_view json_name) {
    for (int i = 0; i < message.field_count(); ++i) {
      if (message.field(i)->json_name() == json_name) return message.field(i);
    }
    return nullptr;
  }

  static absl::Status CheckComplete(const Descriptor& message, const absl::flat_hash_set<std::string_view>& keys) {
    const auto required = RequiredFields().find(std::string_view(message.name()));
    if (required != RequiredFields().end()) {
      for (std::string_view rest = required->second; !rest.empty();) {
        const std::string_view field = TakeWord(rest);
        if (!keys.contains(field)) return absl::InvalidArgumentError(base::Text(message.name(), " lacks ", field));
      }
    }
    if (message.real_oneof_decl_count() == 0) return absl::OkStatus();
    int artifacts = 0;  // Real oneofs come before those that `optional` makes.
    const auto& choice = *message.oneof_decl(0);
    for (int i = 0; i < choice.field_count(); ++i) artifacts += keys.contains(choice.field(i)->json_name()) ? 1 : 0;
    if (artifacts == 1) return absl::OkStatus();
    return absl::InvalidArgumentError(base::Text(message.name(), " holds ", artifacts, " artifacts, expected one"));
  }

  const std::string_view text_;
  const bool compatible_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<v1::ocptv::Root> ParseOcptvLine(std::string_view line, OcptvMode mode) {
  RETURN_IF_ERROR(LineChecker(line, mode).Check());
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = mode == OcptvMode::kCompatible;
  v1::ocptv::Root root;
  const auto parsed = google::protobuf::util::JsonStringToMessage(std::string(line), &root, options);
  if (!parsed.ok()) return absl::InvalidArgumentError(base::Text("not OCPTV: ", std::string(parsed.message())));
  if (root.sequence_number() < 0) return absl::InvalidArgumentError("sequenceNumber is negative");
  if (!ParseOcptvTime(root.timestamp(), mode)) {
    return absl::InvalidArgumentError(
        base::Text("timestamp is \"", root.timestamp().substr(0, 64), "\", expected RFC 3339 with a zone"));
  }
  return root;
}

std::optional<int64_t> ParseOcptvTime(std::string_view text, OcptvMode mode) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;  // absl takes "infinite-past".
  absl::Time time;
  if (absl::ParseTime(absl::RFC3339_full, base::AbslView(text), &time, nullptr)) return absl::ToUnixMillis(time);
  if (mode == OcptvMode::kCompatible &&
      absl::ParseTime("%Y-%m-%d%ET%H:%M:%E*S", base::AbslView(text), &time, nullptr)) {
    return absl::ToUnixMillis(time);
  }
  return std::nullopt;
}

}  // namespace muster::agent
