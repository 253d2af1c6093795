// The measurements of one case as rows of a table: name, value with unit, what was expected.
//
// NAME.expected and NAME.share, which suites report beside NAME, become one remark on NAME's row. A series becomes one
// row.
#ifndef MUSTER_CLI_FIGURES_H_
#define MUSTER_CLI_FIGURES_H_

#include <string>
#include <vector>

#include "cli/device_names.h"
#include "muster/v1/run.pb.h"

namespace muster::cli {

struct Figure {
  std::string name;    // With the subcomponent, and the device where `name_devices` asks for it.
  std::string value;   // "4.18 TB/s"; of a series "0.98 … 1.02 … 1.10 µs" (least, median, most).
  std::string remark;  // "87 % of 4.80 TB/s", or what a validator asks for: "≥ 4.00 TB/s".
  bool valid = true;
};

struct FigureOptions {
  bool work = false;                          // Also work.*.
  const DeviceNames* name_devices = nullptr;  // Put the device into the name: for a case that measured several.
};

// In the order in which names came first. Texts are sanitized.
std::vector<Figure> MakeFigures(const std::vector<const v1::Measurement*>& measurements, const FigureOptions& options);

}  // namespace muster::cli

#endif  // MUSTER_CLI_FIGURES_H_
