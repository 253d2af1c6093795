#include "agent/executor/xml_results.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <pugixml.hpp>
#include <utility>

#include "agent/executor/result_file.h"
#include "base/status_macros.h"
#include "base/text.h"

namespace muster::agent {
namespace {

constexpr size_t kMaxConsoleLineBytes = 4096;
constexpr size_t kMaxResults = 100'000;
constexpr int kMaxXmlDepth = 64;

std::string NameOf(pugi::xml_node testcase, XmlNames names, const std::vector<std::string>& requested) {
  const std::string name = testcase.attribute("name").as_string();
  const std::string class_name = testcase.attribute("classname").as_string();
  const auto is_requested = [&requested](const std::string& candidate) {
    return std::find(requested.begin(), requested.end(), candidate) != requested.end();
  };
  if (names == XmlNames::kJunit && (class_name.empty() || is_requested(name))) return name;
  return class_name.empty() ? name : base::Text(class_name, ".", name);
}

// The first line of the message, from the attribute or the text.
std::string MessageOf(pugi::xml_node node) {
  std::string message = node.attribute("message").as_string();
  if (message.empty()) message = node.child_value();
  const size_t begin = message.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return std::string("the report gives no reason");
  message.erase(0, begin);
  return message.substr(0, message.find_last_not_of(" \t\r\n") + 1);
}

XmlResult ReadTestcase(pugi::xml_node testcase, XmlNames names, const std::vector<std::string>& requested) {
  XmlResult result{.name = NameOf(testcase, names, requested)};
  const double seconds = testcase.attribute("time").as_double();
  result.duration_ms = std::isfinite(seconds) && seconds > 0 && seconds < 1e9 ? std::llround(seconds * 1000) : 0;
  if (const pugi::xml_node failure = testcase.child("failure")) {
    result.outcome = v1::FAILED;
    result.reason = MessageOf(failure);
  } else if (const pugi::xml_node error = testcase.child("error")) {
    result.outcome = v1::ERROR;
    result.reason = MessageOf(error);
  } else if (const pugi::xml_node skipped = testcase.child("skipped")) {
    result.outcome = v1::SKIPPED;
    result.reason = MessageOf(skipped);
  }
  return result;
}

bool WasRun(pugi::xml_node testcase) {
  const std::string_view status = testcase.attribute("status").as_string();
  const std::string_view result = testcase.attribute("result").as_string();
  return status != "notrun" && result != "suppressed";
}

struct XmlWalker : pugi::xml_tree_walker {
  bool for_each(pugi::xml_node& node) override {
    if (depth() > kMaxXmlDepth || results.size() >= kMaxResults) return false;
    if (std::strcmp(node.name(), "testcase") == 0 && WasRun(node))
      results.push_back(ReadTestcase(node, names, *requested));
    return true;
  }
  XmlNames names = XmlNames::kJunit;
  const std::vector<std::string>* requested = nullptr;
  std::vector<XmlResult> results;
};

std::vector<std::string> RequestedNames(const CaseBook& book) {
  std::vector<std::string> names;
  for (const CaseBook::Requested& requested : book.requested()) names.push_back(requested.name);
  return names;
}

absl::StatusOr<std::vector<XmlResult>> ReadXmlFile(const std::string& path, XmlNames names, const CaseBook& book) {
  ASSIGN_OR_RETURN(const std::string xml, ReadResultFile(path));
  return ReadXmlResults(xml, names, RequestedNames(book));
}

// Closes each case as the file says; what it says of a case that is open ends it.
void Record(const std::vector<XmlResult>& results, CaseBook& book, base::Time now) {
  for (const XmlResult& result : results) {
    // The console told it already.
    if (book.OutcomeOf(result.name) == result.outcome && !book.IsOpen(result.name)) continue;
    const std::string name = book.IsOpen(result.name) ? result.name : book.Open(result.name, now);
    if (!name.empty()) book.Close(name, result.outcome, result.reason, now, result.duration_ms);
  }
}

}  // namespace

absl::StatusOr<std::vector<XmlResult>> ReadXmlResults(std::string_view xml, XmlNames names,
                                                      const std::vector<std::string>& requested) {
  pugi::xml_document document;
  // No DTD, no entities beyond the five: pugixml expands none, so that no document grows.
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  if (!parsed) {
    return absl::InvalidArgumentError(
        base::Text("the result file is not XML: ", parsed.description(), " at byte ", parsed.offset));
  }
  const std::string_view root = document.document_element().name();
  if (root != "testsuites" && root != "testsuite") {
    return absl::InvalidArgumentError(
        base::Text("the result file begins with <", root, ">, expected <testsuites> or <testsuite>"));
  }
  XmlWalker walker;
  walker.names = names;
  walker.requested = &requested;
  document.traverse(walker);
  return std::move(walker.results);
}

GtestResults::GtestResults(std::string xml_file, CaseBook* book, Log log)
    : xml_file_(std::move(xml_file)), book_(*book), log_(std::move(log)), lines_(kMaxConsoleLineBytes) {}

void GtestResults::TakeStdout(std::string_view bytes, base::Time now) {
  log_(v1::LOG_STREAM_STDOUT, bytes);
  lines_.Take(bytes, [this, now](const LineSplitter::Line& line) { TakeLine(line.text, now); });
}

// "[ RUN      ] Suite.Case", "[       OK ] Suite.Case (3 ms)". The console only says what runs; outcomes are the
// file's.
void GtestResults::TakeLine(std::string_view line, base::Time now) {
  constexpr std::string_view kRun = "[ RUN      ] ";
  constexpr std::string_view kEnds[] = {"[       OK ] ", "[  FAILED  ] ", "[  SKIPPED ] "};
  const auto begins = [line](std::string_view prefix) { return line.substr(0, prefix.size()) == prefix; };
  if (begins(kRun)) {
    if (!running_.empty()) return;
    running_ = book_.Open(line.substr(kRun.size()), now);
    return;
  }
  if (running_.empty()) return;
  for (const std::string_view end : kEnds) {
    if (!begins(end)) continue;
    const std::string_view rest = line.substr(end.size());
    const std::string_view name = rest.substr(0, rest.find_first_of(" ,"));
    if (name != running_) return;
    const v1::Verdict outcome = end == kEnds[0] ? v1::PASSED : end == kEnds[1] ? v1::FAILED : v1::SKIPPED;
    if (outcome == v1::PASSED) {
      book_.Close(running_, outcome, "", now);
    } else {
      console_[running_] = outcome;  // The file will say why.
      book_.Pause(running_, now);
    }
    running_.clear();
    return;
  }
}

void GtestResults::End(const ProgramEnd& end, base::Time now) {
  const auto results = ReadXmlFile(xml_file_, XmlNames::kGtest, book_);
  if (results.ok()) return Record(*results, book_, now);
  const std::string why(results.status().message());
  // What the console said of cases that had ended is all there is.
  for (const auto& [name, outcome] : console_) {
    book_.Note(name, "no-result-file", base::Text("from the console, ", why));
    book_.Close(name, outcome, "by the console; the program wrote no result file", now);
  }
  if (end.stop != ProgramEnd::kNone) return;
  book_.FaultRun(v1::ERROR, "no-result-file", why);
  if (end.signal && running_.empty()) {
    for (const CaseBook::Requested& requested : book_.requested()) {
      if (book_.HasResult(requested.name)) continue;
      book_.Open(requested.name, now);  // Died before it named a case: the next one's crash.
      return;
    }
  }
  if (!end.signal) book_.FailMissing(base::Text("the program ", Describe(end), "; ", why), now);
}

JunitResults::JunitResults(std::string xml_file, CaseBook* book, Log log)
    : xml_file_(std::move(xml_file)), book_(*book), log_(std::move(log)) {}

void JunitResults::Begin(base::Time now) { book_.OpenAllUntimed(now); }

void JunitResults::TakeStdout(std::string_view bytes, base::Time now) { log_(v1::LOG_STREAM_STDOUT, bytes); }

void JunitResults::End(const ProgramEnd& end, base::Time now) {
  const auto results = ReadXmlFile(xml_file_, XmlNames::kJunit, book_);
  if (results.ok()) {
    Record(*results, book_, now);
    if (end.stop == ProgramEnd::kNone && !end.signal) book_.WithdrawOpen();
    return;
  }
  if (end.stop != ProgramEnd::kNone || end.signal) return;
  const std::string why = base::Text("the program ", Describe(end), "; ", std::string(results.status().message()));
  book_.FaultRun(v1::ERROR, "no-result-file", why);
  for (const std::string& name : book_.OpenNames()) book_.Close(name, v1::ERROR, why, now);
}

}  // namespace muster::agent
