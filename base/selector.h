// The selector language: which machines, which devices.
//
// Kubernetes label selectors, with numbers and regular expressions added. Clauses are joined by commas, and all must
// hold:
//
//   vendor=nvidia   vendor==nvidia   vendor!=intel        equal, not equal (as text)
//   model in (A, B)   model notin (A, B)                  one of, none of
//   simulated   !simulated                                the label is there, is not there
//   memory_gib>=16   driver_major<550                     > >= < <=, as numbers
//   model=~NVIDIA H.*   model!~.*L4                       RE2, the whole value
//
// A label that is missing satisfies !=, notin, !~ and !label and nothing else; a value that is no number satisfies no
// comparison. A value with spaces, commas or signs stands in quotes, "…" or '…', in which a backslash escapes the quote
// and nothing else; a regular expression without quotes runs to the next comma. An empty selector matches everything.
//
// A Selector is a value: cheap to copy, safe to use from any thread. The parser takes any text and is bounded.
#ifndef MUSTER_BASE_SELECTOR_H_
#define MUSTER_BASE_SELECTOR_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/regex.h"

namespace muster::base {

class Selector {
 public:
  static constexpr size_t kMaxLength = 4096;
  static constexpr size_t kMaxClauses = 64;
  static constexpr size_t kMaxValues = 256;

  // Matches everything.
  Selector() = default;
  // InvalidArgument: "selector: expected …, found … at character N of …".
  static absl::StatusOr<Selector> Parse(std::string_view text);

  // Whether all clauses hold for the labels: std::map<string, string>, a protobuf map, … Of several maps the first that
  // has the label counts: Matches(device.labels(), machine.labels()).
  template <typename... Maps>
  bool Matches(const Maps&... labels) const {
    return FirstUnmet([&](const std::string& key) { return Find(key, labels...); }) == nullptr;
  }

  // Whether no label that is there speaks against it; a missing one is taken for unknown. For things of which only part
  // is known, like a GPU without its driver.
  template <typename... Maps>
  bool CouldMatch(const Maps&... labels) const {
    return NothingAgainst([&](const std::string& key) { return Find(key, labels...); });
  }

  // The first clause that does not hold and why: "memory_gib>=16: is 8", "vendor=nvidia: there is no such label". Empty
  // when all hold.
  template <typename... Maps>
  std::string Explain(const Maps&... labels) const {
    return ExplainWith([&](const std::string& key) { return Find(key, labels...); });
  }

  bool empty() const { return clauses_.empty(); }
  // As it was written.
  const std::string& text() const { return text_; }

 private:
  friend class SelectorParser;
  // The value of a label; null when it is missing.
  using Lookup = absl::FunctionRef<const std::string*(const std::string& key)>;
  enum class Op { kExists, kMissing, kIn, kNotIn, kGreater, kGreaterEqual, kLess, kLessEqual, kLike, kNotLike };
  struct Clause {
    std::string key;
    Op op = Op::kExists;
    std::vector<std::string> values;  // kIn, kNotIn: sorted.
    double number = 0;                // The four comparisons.
    Regex regex;                      // kLike, kNotLike.
    std::string text;                 // As it was written, for Explain.
  };

  static const std::string* Find(const std::string&) { return nullptr; }
  template <typename Map, typename... Maps>
  static const std::string* Find(const std::string& key, const Map& first, const Maps&... others) {
    const auto found = first.find(key);
    return found != first.end() ? &found->second : Find(key, others...);
  }
  static bool Holds(const Clause& clause, const std::string* value);
  const Clause* FirstUnmet(Lookup lookup) const;
  bool NothingAgainst(Lookup lookup) const;
  std::string ExplainWith(Lookup lookup) const;

  std::string text_;
  std::vector<Clause> clauses_;
};

}  // namespace muster::base

#endif  // MUSTER_BASE_SELECTOR_H_
