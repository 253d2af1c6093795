#include "base/selector.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/names.h"
#include "base/status_macros.h"

namespace muster::base {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '/' || c == '-';
}
// What a value may hold without quotes, beside letters, digits and all that is not ASCII.
bool IsBareCharacter(char c) {
  return IsKeyCharacter(c) || c == ':' || c == '+' || c == '@' || c == '%' || c == '*' ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

// A recursive descent that needs no recursion: clauses do not nest.
class SelectorParser {
 public:
  explicit SelectorParser(std::string_view text) : text_(text) {}

  absl::StatusOr<Selector> Run() {
    if (text_.size() > Selector::kMaxLength) {
      return absl::InvalidArgumentError(
          absl::StrCat("selector: ", text_.size(), " characters are more than the limit of ", Selector::kMaxLength));
    }
    Selector selector;
    selector.text_ = std::string(text_);
    SkipSpace();
    while (at_ < text_.size()) {
      ASSIGN_OR_RETURN(Clause clause, ParseClause());
      selector.clauses_.push_back(std::move(clause));
      if (selector.clauses_.size() > Selector::kMaxClauses) {
        return absl::InvalidArgumentError(absl::StrCat("selector: more than ", Selector::kMaxClauses, " clauses"));
      }
      if (at_ == text_.size()) break;
      if (!Take(",")) return Expected("a comma between clauses (a value with spaces or signs stands in quotes)");
      if (at_ == text_.size()) return Expected("a clause after the comma");
    }
    return selector;
  }

 private:
  using Clause = Selector::Clause;
  using Op = Selector::Op;

  absl::StatusOr<Clause> ParseClause() {
    const size_t begin = at_;
    Clause clause;
    const bool negated = Take("!");
    ASSIGN_OR_RETURN(clause.key, ParseKey());
    if (negated) {
      clause.op = Op::kMissing;
    } else {
      RETURN_IF_ERROR(ParseOperation(clause));
    }
    size_t end = at_;
    while (end > begin && IsSpace(text_[end - 1])) --end;
    clause.text = std::string(text_.substr(begin, end - begin));
    return clause;
  }

  absl::StatusOr<std::string> ParseKey() {
    const size_t begin = at_;
    while (at_ < text_.size() && IsKeyCharacter(text_[at_])) ++at_;
    std::string key(text_.substr(begin, at_ - begin));
    if (!CheckLabelName(key).ok()) {
      at_ = begin;
      return Expected("a label such as vendor or memory_gib");
    }
    SkipSpace();
    return key;
  }

  // What follows the key; nothing means that the label is there. Longer signs are tried before those that they begin
  // with.
  absl::Status ParseOperation(Clause& clause) {
    if (Take("=~")) return ParseRegex(clause, Op::kLike);
    if (Take("!~")) return ParseRegex(clause, Op::kNotLike);
    if (Take("==") || Take("=")) return ParseOne(clause, Op::kIn);
    if (Take("!=")) return ParseOne(clause, Op::kNotIn);
    if (Take(">=")) return ParseNumber(clause, Op::kGreaterEqual);
    if (Take("<=")) return ParseNumber(clause, Op::kLessEqual);
    if (Take(">")) return ParseNumber(clause, Op::kGreater);
    if (Take("<")) return ParseNumber(clause, Op::kLess);
    if (TakeWord("notin")) return ParseList(clause, Op::kNotIn);
    if (TakeWord("in")) return ParseList(clause, Op::kIn);
    if (at_ < text_.size() && text_[at_] != ',')
      return Expected("an operator (= != > >= < <= =~ !~ in notin) or a comma");
    return absl::OkStatus();
  }

  absl::Status ParseOne(Clause& clause, Op op) {
    clause.op = op;
    ASSIGN_OR_RETURN(std::string value, ParseValue());
    clause.values.push_back(std::move(value));
    return absl::OkStatus();
  }

  absl::Status ParseList(Clause& clause, Op op) {
    clause.op = op;
    if (!Take("(")) return Expected("\"(\" and values");
    do {
      ASSIGN_OR_RETURN(std::string value, ParseValue());
      clause.values.push_back(std::move(value));
      if (clause.values.size() > Selector::kMaxValues) {
        return absl::InvalidArgumentError(
            absl::StrCat("selector: more than ", Selector::kMaxValues, " values in a list"));
      }
    } while (Take(","));
    if (!Take(")")) return Expected("\",\" or \")\" after the value");
    std::sort(clause.values.begin(), clause.values.end());
    return absl::OkStatus();
  }

  absl::Status ParseNumber(Clause& clause, Op op) {
    clause.op = op;
    const size_t begin = at_;
    ASSIGN_OR_RETURN(const std::string value, ParseValue());
    if (absl::SimpleAtod(value, &clause.number) && std::isfinite(clause.number)) return absl::OkStatus();
    at_ = begin;
    return Expected("a number");
  }

  absl::Status ParseRegex(Clause& clause, Op op) {
    clause.op = op;
    const size_t begin = at_;
    std::string pattern;
    if (at_ < text_.size() && IsQuote(text_[at_])) {
      ASSIGN_OR_RETURN(pattern, ParseQuoted());
    } else {
      const size_t end = std::min(text_.find(',', at_), text_.size());
      at_ = end;
      while (at_ > begin && IsSpace(text_[at_ - 1])) --at_;
      pattern = std::string(text_.substr(begin, at_ - begin));
      at_ = end;
    }
    absl::StatusOr<Regex> regex = CompileRegex(pattern);
    if (!regex.ok()) {
      at_ = begin;
      return Expected(absl::StrCat("a regular expression (", regex.status().message(), ")"));
    }
    clause.regex = *std::move(regex);
    return absl::OkStatus();
  }

  // May be empty where nothing follows.
  absl::StatusOr<std::string> ParseValue() {
    if (at_ < text_.size() && IsQuote(text_[at_])) return ParseQuoted();
    const size_t begin = at_;
    while (at_ < text_.size() && IsBareCharacter(text_[at_])) ++at_;
    std::string value(text_.substr(begin, at_ - begin));
    SkipSpace();
    return value;
  }

  absl::StatusOr<std::string> ParseQuoted() {
    const size_t begin = at_;
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == quote) ++at_;
      value.push_back(text_[at_++]);
    }
    if (at_ == text_.size()) {
      at_ = begin;
      return Expected("a closing quote");
    }
    ++at_;
    SkipSpace();
    return value;
  }

  static bool IsQuote(char c) { return c == '"' || c == '\''; }
  void SkipSpace() {
    while (at_ < text_.size() && IsSpace(text_[at_])) ++at_;
  }
  bool Take(std::string_view sign) {
    if (text_.substr(at_, sign.size()) != sign) return false;
    at_ += sign.size();
    SkipSpace();
    return true;
  }
  bool TakeWord(std::string_view word) {
    const size_t end = at_ + word.size();
    if (text_.substr(at_, word.size()) != word || (end < text_.size() && IsKeyCharacter(text_[end]))) return false;
    return Take(word);
  }
  absl::Status Expected(std::string_view what) const {
    const std::string found = at_ < text_.size() ? Quoted(text_.substr(at_, 20)) : "the end";
    return absl::InvalidArgumentError(absl::StrCat("selector: expected ", std::string(what), ", found ", found,
                                                   " at character ", at_ + 1, " of ", Quoted(text_)));
  }

  std::string_view text_;
  size_t at_ = 0;
};

absl::StatusOr<Selector> Selector::Parse(std::string_view text) { return SelectorParser(text).Run(); }

bool Selector::Holds(const Clause& clause, const std::string* value) {
  const bool negative = clause.op == Op::kMissing || clause.op == Op::kNotIn || clause.op == Op::kNotLike;
  if (value == nullptr) return negative;
  const auto compare = [&](auto holds) {
    double number = 0;
    return absl::SimpleAtod(*value, &number) && holds(number, clause.number);
  };
  switch (clause.op) {
    case Op::kExists:
      return true;
    case Op::kMissing:
      return false;
    case Op::kIn:
    case Op::kNotIn:
      return std::binary_search(clause.values.begin(), clause.values.end(), *value) != negative;
    case Op::kGreater:
      return compare(std::greater<>());
    case Op::kGreaterEqual:
      return compare(std::greater_equal<>());
    case Op::kLess:
      return compare(std::less<>());
    case Op::kLessEqual:
      return compare(std::less_equal<>());
    case Op::kLike:
    case Op::kNotLike:
      return FullMatch(clause.regex, *value) != negative;
  }
  return false;
}

const Selector::Clause* Selector::FirstUnmet(Lookup lookup) const {
  for (const Clause& clause : clauses_) {
    if (!Holds(clause, lookup(clause.key))) return &clause;
  }
  return nullptr;
}

bool Selector::NothingAgainst(Lookup lookup) const {
  for (const Clause& clause : clauses_) {
    const std::string* value = lookup(clause.key);
    if (value != nullptr && !Holds(clause, value)) return false;
  }
  return true;
}

std::string Selector::ExplainWith(Lookup lookup) const {
  const Clause* clause = FirstUnmet(lookup);
  if (clause == nullptr) return "";
  const std::string* value = lookup(clause->key);
  if (value == nullptr) return absl::StrCat(clause->text, ": there is no such label");
  return absl::StrCat(clause->text, ": is ", *value);
}

}  // namespace muster::base
