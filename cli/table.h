// A table of text: columns as wide as their content, shrunk to the terminal.
#ifndef MUSTER_CLI_TABLE_H_
#define MUSTER_CLI_TABLE_H_

#include <string>
#include <vector>

#include "cli/palette.h"

namespace muster::cli {

struct Column {
  std::string title;
  bool right = false;
  // Gives way when the table is too wide; the others only when these are down to kSmallest.
  bool shrinks = false;
};
struct Cell {
  std::string text;  // One line, sanitized.
  Style style = Style::kPlain;
};

class Table {
 public:
  // No heading is printed when every title is empty. `indent` spaces stand before each line.
  explicit Table(std::vector<Column> columns, size_t indent = 0);

  // Missing cells are empty; further ones are ignored.
  void AddRow(std::vector<Cell> cells);
  // A line across all columns, as it is: a heading, an empty line, a reason.
  void AddLine(std::string text, Style style = Style::kPlain);
  bool empty() const { return rows_.empty(); }

  // Lines of at most `width` columns (0: as wide as they are), each ended by a newline.
  std::string Render(const Palette& palette, size_t width) const;

 private:
  static constexpr size_t kSmallest = 6;
  struct Row {
    std::vector<Cell> cells;
    bool is_line = false;
  };
  std::vector<size_t> Widths(size_t width) const;
  std::string RenderRow(const Palette& palette, const std::vector<Cell>& cells,
                        const std::vector<size_t>& widths) const;

  std::vector<Column> columns_;
  size_t indent_;
  std::vector<Row> rows_;
};

}  // namespace muster::cli

#endif  // MUSTER_CLI_TABLE_H_
