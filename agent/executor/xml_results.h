// Results that programs write as XML when they end: JUnit's dialects (pytest's among them) and GoogleTest's.
//
// A file that is written at the end tells nothing of a program that dies before. GoogleTest's console lines fill that
// gap: they say which case runs, so that time limits and crashes are of a case by name. JUnit programs have no such
// thing; all of their requested cases are open from the beginning.
#ifndef MUSTER_AGENT_EXECUTOR_XML_RESULTS_H_
#define MUSTER_AGENT_EXECUTOR_XML_RESULTS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/executor/line_splitter.h"
#include "agent/executor/result_reader.h"

namespace muster::agent {

struct XmlResult {
  std::string name;
  v1::Verdict outcome = v1::PASSED;
  std::string reason;
  int64_t duration_ms = 0;
};

enum class XmlNames {
  kGtest,  // "CLASSNAME.NAME", as --gtest_filter wants it.
  kJunit,  // The name alone where it was requested, else "CLASSNAME.NAME".
};

// Each testcase of a JUnit or GoogleTest document, in its order. Test cases that GoogleTest did not run are left out.
// `requested` decides how names are read (XmlNames).
absl::StatusOr<std::vector<XmlResult>> ReadXmlResults(std::string_view xml, XmlNames names,
                                                      const std::vector<std::string>& requested);

class GtestResults final : public ResultReader {
 public:
  // `xml_file` need not exist yet. `book` outlives this.
  GtestResults(std::string xml_file, CaseBook* book, Log log);
  void TakeStdout(std::string_view bytes, base::Time now) override;
  void End(const ProgramEnd& end, base::Time now) override;

 private:
  void TakeLine(std::string_view line, base::Time now);

  const std::string xml_file_;
  CaseBook& book_;
  const Log log_;
  LineSplitter lines_;
  std::string running_;                         // By the console.
  std::map<std::string, v1::Verdict> console_;  // Of cases that ended and did not pass.
};

class JunitResults final : public ResultReader {
 public:
  JunitResults(std::string xml_file, CaseBook* book, Log log);
  void Begin(base::Time now) override;
  void TakeStdout(std::string_view bytes, base::Time now) override;
  void End(const ProgramEnd& end, base::Time now) override;

 private:
  const std::string xml_file_;
  CaseBook& book_;
  const Log log_;
};

}  // namespace muster::agent

#endif  // MUSTER_AGENT_EXECUTOR_XML_RESULTS_H_
