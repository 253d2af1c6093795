#include "suites/physical/random_gemm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_format.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/random_gemm.kernels.h"
#include "suites/physical/random_gemm_fp64.kernels.h"
#include "suites/sdk/timing.h"

namespace muster::physical {
namespace {

using sdk::MatrixType;

constexpr u32 kKeyA = 0x6d61746a;
constexpr u32 kKeyB = 0x6d61746b;
constexpr u32 kKeyPlaces = 0x6d61746c;
constexpr uint32_t kParts = 32;
constexpr uint32_t kBatches = 5;

// How far a right entry may lie from the exact one: the rounding of its own format, and that of the operands and the
// sum, whose terms have a deviation of 1 and number 8192: TF32 in place of fp32 shows.
struct Tolerance {
  double absolute;
  double relative;
};
Tolerance ToleranceOf(MatrixType type) {
  switch (type) {
    case MatrixType::kFp64:
      return {1e-10, 1e-13};
    case MatrixType::kFp32:
      return {0.005, 1e-5};
    case MatrixType::kTf32:
      return {0.5, 1e-3};
    case MatrixType::kFp16:
      return {0.05, 1.0 / 1024};
    case MatrixType::kBf16:
      return {0.05, 1.0 / 256};
    case MatrixType::kInt8:
      return {0, 0};
    case MatrixType::kFp8:
      return {1, 1.0 / 64};
  }
  return {0, 0};
}

double NumberAt(const std::vector<char>& memory, uint64_t index, uint32_t format) {
  if (format == FORMAT_FP64) return reinterpret_cast<const double*>(memory.data())[index];
  if (format == FORMAT_INT32) return reinterpret_cast<const int32_t*>(memory.data())[index];
  return number_load(memory.data(), index, format);
}

// As other users of a library lay their operands out for such a product, where the engine can.
MatrixProduct LaidOut(MatrixProduct product, const MatrixEngine& engine) {
  if (product.type == MatrixType::kFp32 || product.type == MatrixType::kFp64)
    product.a_in_columns = engine.TakesColumnsOfA(product.type);
  return product;
}

class RandomGemm {
 public:
  RandomGemm(ComputeDevice& device, MatrixEngine& engine, const RandomGemmOptions& options)
      : device_(device),
        engine_(engine),
        options_(options),
        shape_(LaidOut(options.product, engine)),
        a_(device, shape_.BytesOfA()),
        b_(device, shape_.BytesOfB()),
        c_(device, shape_.BytesOfC()) {}

  RandomGemmReport Run() {
    const MatrixOperands operands = {a_.data(), b_.data(), c_.data()};
    Fill(a_, uint64_t{shape_.rows} * shape_.depth, kKeyA);
    Fill(b_, uint64_t{shape_.columns} * shape_.depth, kKeyB);
    report_.unsupported = engine_.Prepare(shape_, operands);
    if (!report_.unsupported.empty()) return report_;
    const auto seconds_of = [&](uint64_t products) {
      return device_.Seconds([&] {
        for (uint64_t i = 0; i < products; ++i) engine_.Multiply(operands);
      });
    };
    const double once = std::max(seconds_of(1), 1e-6);
    seconds_of(static_cast<uint64_t>(options_.warm_up_seconds / once) + 1);
    const auto each = static_cast<uint64_t>(
        std::max<double>(std::ceil(options_.least_products / double{kBatches}), options_.seconds / once / kBatches));
    // An entry that is not written now shows: few sums are exactly zero.
    device_.Zero(c_.data(), c_.bytes());
    std::vector<double> seconds;
    for (uint32_t batch = 0; batch < kBatches; ++batch) seconds.push_back(seconds_of(each) / static_cast<double>(each));
    report_.products = each * kBatches;
    report_.operations_per_second = shape_.Operations() / sdk::Median(seconds);
    Check();
    return report_;
  }

 private:
  void Fill(const DeviceMemory& matrix, uint64_t count, u32 key) {
    const RandomArguments arguments = {count, key, shape_.InputFormat()};
    device_.Launch({.kernel = shape_.type == MatrixType::kFp64 ? "random_fill_fp64" : "random_fill",
                    .groups = 2048,
                    .group_size = 256,
                    .buffers = {matrix.data()},
                    .arguments = &arguments,
                    .arguments_size = sizeof(arguments)});
  }

  // Line `line` of a matrix whose lines have so many entries.
  std::vector<char> Line(const DeviceMemory& matrix, uint32_t line, uint32_t entries, uint32_t format) {
    std::vector<char> read(uint64_t{entries} * BytesOfFormat(format));
    device_.ReadBack(read.data(), static_cast<const char*>(matrix.data()) + line * read.size(), read.size());
    return read;
  }
  std::vector<double> OperandNumbers(const std::vector<char>& line) const {
    std::vector<double> numbers(shape_.depth);
    for (uint32_t k = 0; k < shape_.depth; ++k) numbers[k] = NumberAt(line, k, shape_.InputFormat());
    return numbers;
  }
  std::vector<double> OperandLine(const DeviceMemory& matrix, uint32_t line) {
    return OperandNumbers(Line(matrix, line, shape_.depth, shape_.InputFormat()));
  }
  std::vector<double> RowOfA(uint32_t row) {
    if (!shape_.a_in_columns) return OperandLine(a_, row);
    // Of one row the entries are as far apart as a column is long: made as Fill() did, rather than all of a read back.
    const uint32_t format = shape_.InputFormat();
    std::vector<char> line(uint64_t{shape_.depth} * BytesOfFormat(format));
    for (uint32_t k = 0; k < shape_.depth; ++k) {
      const uint64_t index = uint64_t{k} * shape_.rows + row;
      if (format == FORMAT_FP64) {
        reinterpret_cast<double*>(line.data())[k] = random_number_fp64(kKeyA, index);
      } else {
        number_store(line.data(), k, format, random_number(kKeyA, index, format));
      }
    }
    return OperandNumbers(line);
  }
  // One of `size` lines in each of the parts.
  static uint32_t Place(uint32_t part, uint32_t size, u32 key) {
    const uint32_t width = size / kParts;
    return part * width + mix_bits(part ^ key) % width;
  }

  void Check() {
    std::vector<std::vector<double>> rows;
    for (uint32_t part = 0; part < kParts; ++part) rows.push_back(RowOfA(Place(part, shape_.rows, kKeyPlaces)));
    for (uint32_t part = 0; part < kParts; ++part) {
      const uint32_t j = Place(part, shape_.columns, kKeyPlaces + 1);
      const std::vector<double> column = OperandLine(b_, j);
      std::vector<char> result = Line(c_, j, shape_.rows, shape_.ResultFormat());
      const uint32_t first = Place(0, shape_.rows, kKeyPlaces);
      // A bit of high value in every format.
      if (options_.inject && part == 0) {
        const uint32_t bytes = BytesOfFormat(shape_.ResultFormat());
        result[first * bytes + bytes - 1] ^= 0x08;
      }
      for (uint32_t row = 0; row < kParts; ++row)
        Judge(Place(row, shape_.rows, kKeyPlaces), j, rows[row], column, result);
    }
  }

  void Judge(uint32_t i, uint32_t j, const std::vector<double>& row, const std::vector<double>& column,
             const std::vector<char>& result) {
    // Four sums, which the processor forms at once.
    double sums[4] = {0, 0, 0, 0};
    for (uint32_t k = 0; k + 4 <= shape_.depth; k += 4) {
      for (uint32_t n = 0; n < 4; ++n) sums[n] += row[k + n] * column[k + n];
    }
    const double expected = sums[0] + sums[1] + sums[2] + sums[3];
    const double found = NumberAt(result, i, shape_.ResultFormat());
    const Tolerance tolerance = ToleranceOf(shape_.type);
    ++report_.checked;
    // Negated, so that NaN counts.
    if (std::abs(found - expected) <= tolerance.absolute + tolerance.relative * std::abs(expected)) return;
    if (report_.wrong++ != 0) return;
    report_.first_wrong = absl::StrFormat("row %u, column %u: expected %.9g, found %.9g", i, j, expected, found);
  }

  ComputeDevice& device_;
  MatrixEngine& engine_;
  const RandomGemmOptions options_;
  const MatrixProduct shape_;
  const DeviceMemory a_, b_, c_;
  RandomGemmReport report_;
};

}  // namespace

RandomGemmReport RunRandomGemm(ComputeDevice& device, MatrixEngine& engine, const RandomGemmOptions& options) {
  return RandomGemm(device, engine, options).Run();
}

}  // namespace muster::physical
