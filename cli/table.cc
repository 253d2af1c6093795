#include "cli/table.h"

#include <algorithm>
#include <utility>

#include "cli/text.h"

namespace muster::cli {
namespace {
constexpr size_t kGap = 2;
}  // namespace

Table::Table(std::vector<Column> columns, size_t indent) : columns_(std::move(columns)), indent_(indent) {}

void Table::AddRow(std::vector<Cell> cells) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells)});
}

void Table::AddLine(std::string text, Style style) { rows_.push_back({{Cell{std::move(text), style}}, true}); }

std::vector<size_t> Table::Widths(size_t width) const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(DisplayWidth(column.title));
  for (const Row& row : rows_) {
    if (row.is_line) continue;
    for (size_t i = 0; i < row.cells.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row.cells[i].text));
  }
  if (width == 0) return widths;
  size_t total = indent_;
  for (const size_t w : widths) total += w == 0 ? 0 : w + kGap;
  total -= std::min(total, kGap);
  // First those that are meant to give way, the widest first; then any.
  for (const bool any : {false, true}) {
    while (total > width) {
      size_t widest = columns_.size();
      for (size_t i = 0; i < columns_.size(); ++i) {
        if ((any || columns_[i].shrinks) && widths[i] > kSmallest &&
            (widest == columns_.size() || widths[i] > widths[widest]))
          widest = i;
      }
      if (widest == columns_.size()) break;
      const size_t less = std::min(total - width, std::max<size_t>(1, (widths[widest] - kSmallest) / 2));
      widths[widest] -= less;
      total -= less;
    }
  }
  return widths;
}

std::string Table::RenderRow(const Palette& palette, const std::vector<Cell>& cells,
                             const std::vector<size_t>& widths) const {
  std::string line(indent_, ' ');
  size_t pending = 0;  // Spaces owed before the next text, so that no line ends in them.
  for (size_t i = 0; i < cells.size(); ++i) {
    if (widths[i] == 0) continue;
    const std::string text = Truncate(cells[i].text, widths[i]);
    const size_t rest = widths[i] - DisplayWidth(text);
    if (columns_[i].right) pending += rest;
    if (!text.empty()) {
      line.append(std::exchange(pending, 0), ' ');
      line += palette.Paint(cells[i].style, text);
    }
    pending += kGap + (columns_[i].right ? 0 : rest);
  }
  return line + "\n";
}

std::string Table::Render(const Palette& palette, size_t width) const {
  const std::vector<size_t> widths = Widths(width);
  std::string out;
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.push_back({column.title, Style::kDim});
  if (std::any_of(titles.begin(), titles.end(), [](const Cell& c) { return !c.text.empty(); })) {
    out += RenderRow(palette, titles, widths);
  }
  for (const Row& row : rows_) {
    if (!row.is_line) {
      out += RenderRow(palette, row.cells, widths);
      continue;
    }
    const Cell& line = row.cells.front();
    out += palette.Paint(line.style, width == 0 ? line.text : Truncate(line.text, width)) + "\n";
  }
  return out;
}

}  // namespace muster::cli
