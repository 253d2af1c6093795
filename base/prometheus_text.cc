#include "base/prometheus_text.h"

#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace muster::base {
namespace {

// Up to here every integer is a double of its own, and reads better than 1e+15.
constexpr double kExactIntegers = 9007199254740992.0;

bool IsPlain(std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"' || c == '\n' || static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

void AppendEscaped(std::string& out, std::string_view value, bool quotes) {
  if (IsPlain(value)) {
    out.append(value);
    return;
  }
  for (const char c : ValidUtf8(value)) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (c == '"' && quotes)) out += '\\';
    out += c;
  }
}

template <typename Number>
void AppendDigits(std::string& out, Number value) {
  char buffer[32];
  const std::to_chars_result end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end.ptr);
}

}  // namespace

void AppendPrometheusLabel(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels += ',';
  labels.append(name).append("=\"");
  AppendEscaped(labels, value, true);
  labels += '"';
}

std::string PrometheusLabels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
  std::string text;
  for (const auto& [name, value] : labels) AppendPrometheusLabel(text, name, value);
  return text;
}

void AppendPrometheusNumber(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
  } else if (std::abs(value) <= kExactIntegers && value == std::trunc(value)) {
    AppendDigits(out, static_cast<int64_t>(value));
  } else {
    AppendDigits(out, value);
  }
}

void PrometheusFamily::WriteHeader() {
  begun_ = true;
  out_.append("# HELP ").append(name_).append(" ");
  AppendEscaped(out_, help_, false);
  out_.append("\n# TYPE ").append(name_).append(type_ == MetricType::kCounter ? " counter\n" : " gauge\n");
}

void PrometheusFamily::Add(std::string_view labels, std::string_view more, double value) {
  if (!begun_) WriteHeader();
  out_.append(name_);
  if (!labels.empty() || !more.empty()) {
    out_ += '{';
    out_.append(labels);
    if (!labels.empty() && !more.empty()) out_ += ',';
    out_.append(more);
    out_ += '}';
  }
  out_ += ' ';
  AppendPrometheusNumber(out_, value);
  out_ += '\n';
}

}  // namespace muster::base
