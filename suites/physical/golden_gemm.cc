#include "suites/physical/golden_gemm.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "suites/physical/device_memory.h"
#include "suites/physical/golden_oracle.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint32_t kGroupSize = 256;
constexpr uint32_t kFillGroups = 2048;
constexpr uint32_t kHostSamples = 64;
constexpr uint32_t kRetests = 4;

double NumberOf(u64 bits, uint32_t format) {
  if (format == FORMAT_FP64) return AS_DOUBLE(bits);
  return format == FORMAT_INT32 ? static_cast<double>(static_cast<int32_t>(bits)) : AS_FLOAT(bits);
}

// The exponents of scaled operands: `span` of them from `low_a` and `low_b` on. Entries of a and b are exact in their
// type, and the sums neither overflow nor become subnormal in theirs; fp16 and fp8 go from their least subnormal number
// to their largest.
struct Scale {
  uint32_t span = 0;
  int low_a = 0;
  int low_b = 0;
};
Scale ScaleOf(sdk::MatrixType type, u32 key) {
  // The wide types' operands lie off the middle, one as far up as the other down.
  const auto aside = [key](int most) { return static_cast<int>(mix_bits(key) % (2u * most + 1)) - most; };
  switch (type) {
    case sdk::MatrixType::kFp16:
      return {38, -24, -24};
    case sdk::MatrixType::kFp8:
      return {17, -9, -9};
    case sdk::MatrixType::kInt8:
      return {5, 0, 0};
    case sdk::MatrixType::kFp64: {
      const int by = aside(500);
      return {960, -500 + by, -500 - by};
    }
    default: {
      const int by = aside(64);
      return {112, -60 + by, -60 - by};
    }
  }
}

// Operands of one round.
class Golden {
 public:
  Golden(ComputeDevice& device, MatrixEngine& engine, const GoldenOptions& options)
      : device_(device),
        engine_(engine),
        options_(options),
        shape_(options.product),
        a_(device, shape_.BytesOfA()),
        b_(device, shape_.BytesOfB() + ShiftBytes()),
        c_(device, shape_.BytesOfC()),
        errors_(device, sizeof(GoldenErrors)),
        sums_{{device, shape_.depth * sizeof(u64)}, {device, shape_.depth * sizeof(u64)}},
        expected_{{device, shape_.rows * sizeof(u64)}, {device, shape_.rows * sizeof(u64)}},
        weights_{{device, shape_.columns * sizeof(u32)}, {device, shape_.columns * sizeof(u32)}},
        rows_(device, shape_.rows * sizeof(u64)),
        kept_(device, shape_.rows * sizeof(u64)),
        saved_(device, SavedBytes()) {
    arguments_.rows = shape_.rows;
    arguments_.columns = shape_.columns;
    arguments_.depth = shape_.depth;
    arguments_.bound = GoldenBound(shape_.type);
    arguments_.input = shape_.InputFormat();
    arguments_.result = shape_.ResultFormat();
  }

  GoldenReport Run() {
    report_.unsupported = engine_.Prepare(shape_, Operands(0));
    if (!report_.unsupported.empty()) return report_;
    device_.Zero(rows_.data(), shape_.rows * sizeof(u64));
    for (uint32_t round = 0; GoesOn(round); ++round) {
      Begin(round);
      ExpectAsOnHost(options_.host_expects_all && round == 0 ? 0 : kHostSamples);
      device_.Zero(errors_.data(), sizeof(GoldenErrors));
      Multiply(round);
      if (round == 0) report_.digest = Digest();
      if (!Clean(round)) break;
    }
    report_.operations = shape_.Operations() * static_cast<double>(report_.products);
    if (checked_seconds_ > 0) report_.checked_per_second = report_.operations / checked_seconds_;
    if (unchecked_seconds_ > 0) {
      report_.compared_per_second = shape_.Operations() * static_cast<double>(compared_) / compared_seconds_;
      report_.unchecked_per_second = shape_.Operations() * static_cast<double>(unchecked_) / unchecked_seconds_;
    }
    return report_;
  }

 private:
  bool GoesOn(uint32_t round) const {
    if (options_.go_on) return options_.go_on(report_);
    return round < options_.least_rounds || checked_seconds_ < options_.seconds;
  }
  uint64_t ShiftBytes() const { return uint64_t{GOLDEN_SHIFT} * shape_.depth * BytesOfFormat(shape_.InputFormat()); }
  uint64_t SavedBytes() const {
    const uint64_t side = options_.injection ? options_.injection->side : 1;
    return side * side * sizeof(u64);
  }
  MatrixOperands Operands(uint32_t product) const {
    return {a_.data(), static_cast<char*>(b_.data()) + product % 2 * ShiftBytes(), c_.data()};
  }
  GoldenArguments Arguments(uint32_t product) const {
    GoldenArguments arguments = arguments_;
    arguments.product = product;
    arguments.first_column = product % 2 * GOLDEN_SHIFT;
    return arguments;
  }

  void Launch(const char* kernel, uint64_t items, std::vector<void*> buffers, const GoldenArguments& arguments) {
    device_.Launch({.kernel = kernel,
                    .groups = (items + kGroupSize - 1) / kGroupSize,
                    .group_size = kGroupSize,
                    .buffers = std::move(buffers),
                    .arguments = &arguments,
                    .arguments_size = sizeof(arguments)});
  }
  // Work items for a strip each of `across`, all along `along`.
  static uint64_t Strips(uint32_t across, uint32_t width, uint32_t along) {
    return uint64_t{(across + width - 1) / width} * along;
  }

  // Fresh operands, and what the rows of their products weigh.
  void Begin(uint32_t round) {
    const u32 base = mix_bits(static_cast<u32>(options_.seed)) ^ static_cast<u32>(options_.seed >> 32);
    arguments_.key_a = mix_bits(base + 3 * round);
    arguments_.key_b = mix_bits(base + 3 * round + 1);
    arguments_.key_weights = mix_bits(base + 3 * round + 2);
    const Scale scale = round % 2 == 1 ? ScaleOf(shape_.type, arguments_.key_weights) : Scale();
    arguments_.span = scale.span;
    arguments_.low_a = scale.low_a;
    arguments_.low_b = scale.low_b;
    Launch("golden_fill", uint64_t{kFillGroups} * kGroupSize, {a_.data(), errors_.data()}, arguments_);
    GoldenArguments of_b = arguments_;
    of_b.key_a = arguments_.key_b;
    of_b.low_a = arguments_.low_b;
    of_b.rows = shape_.columns + GOLDEN_SHIFT;
    Launch("golden_fill", uint64_t{kFillGroups} * kGroupSize, {b_.data(), errors_.data()}, of_b);
    for (uint32_t side = 0; side < 2; ++side) {
      const GoldenArguments arguments = Arguments(side);
      device_.Zero(sums_[side].data(), shape_.depth * sizeof(u64));
      device_.Zero(expected_[side].data(), shape_.rows * sizeof(u64));
      Launch("golden_weights", shape_.columns, {weights_[side].data(), errors_.data()}, arguments);
      Launch("golden_weigh_b", Strips(shape_.columns, GOLDEN_STRIP, shape_.depth), {sums_[side].data(), errors_.data()},
             arguments);
      Launch("golden_expect_rows", Strips(shape_.depth, GOLDEN_STRIP, shape_.rows),
             {expected_[side].data(), errors_.data(), sums_[side].data()}, arguments);
    }
  }

  void ExpectAsOnHost(uint32_t samples) {
    for (uint32_t side = 0; side < 2; ++side) {
      std::vector<u64> sums(shape_.depth);
      std::vector<u64> rows(shape_.rows);
      device_.ReadBack(sums.data(), sums_[side].data(), sums.size() * sizeof(u64));
      device_.ReadBack(rows.data(), expected_[side].data(), rows.size() * sizeof(u64));
      ExpectSumsAsOnHost(Arguments(side), sums, samples);
      ExpectRowsAsOnHost(Arguments(side), sums, rows, samples);
    }
  }

  // A round's products, checked, and as many without checks among them, for a GPU that warms up gets slower. A checked
  // one is the last.
  void Multiply(uint32_t round) {
    const uint32_t count = options_.products_per_round;
    const uint32_t block = std::max(1u, count / 4);
    for (uint32_t first = 0; first < count; first += 2 * block) {
      const uint32_t middle = std::min(first + block, count);
      const uint32_t end = std::min(middle + block, count);
      const bool compare = middle < end && unchecked_seconds_ < options_.unchecked_seconds;
      double seconds = Checked(round, first, middle);
      if (compare) {
        // The one after an unchecked one has the other right operand, too.
        unchecked_seconds_ += device_.Seconds([&] {
          for (uint32_t i = 0; i < 2 * block; ++i) engine_.Multiply(Operands(middle + i));
        });
        unchecked_ += 2 * block;
      }
      seconds += Checked(round, middle, end);
      checked_seconds_ += seconds;
      report_.products += end - first;
      if (!compare) continue;
      compared_seconds_ += seconds;
      compared_ += end - first;
    }
  }

  double Checked(uint32_t round, uint32_t first, uint32_t end) {
    if (first == end) return 0;
    return device_.Seconds([&] {
      for (uint32_t i = first; i < end; ++i) {
        const bool last = round == options_.injection_round && i + 1 == options_.products_per_round;
        MultiplyAndCheck(i, options_.injection && (options_.injection->every || last));
      }
    });
  }

  void MultiplyAndCheck(uint32_t product, bool inject) {
    if (inject && options_.injection->Drops()) Inject(GOLDEN_SAVE);
    engine_.Multiply(Operands(product));
    if (inject) Inject(options_.injection->action);
    const GoldenArguments arguments = Arguments(product);
    void* const weights = weights_[product % 2].data();
    if (arguments.result == FORMAT_FP64) {
      Launch("golden_weigh_c_fp64", Strips(shape_.columns, GOLDEN_RESULT_STRIP, shape_.rows),
             {rows_.data(), errors_.data(), c_.data(), weights}, arguments);
    } else {
      Launch("golden_weigh_c", Strips(shape_.columns, GOLDEN_RESULT_STRIP, shape_.rows / 4),
             {rows_.data(), errors_.data(), c_.data(), weights}, arguments);
    }
    Launch("golden_compare", shape_.rows, {rows_.data(), errors_.data(), expected_[product % 2].data(), kept_.data()},
           arguments);
  }

  void Inject(uint32_t action) {
    const GoldenInjection& injection = *options_.injection;
    if (uint64_t{injection.row} + injection.side > shape_.rows ||
        uint64_t{injection.column} + injection.side > shape_.columns) {
      throw sdk::ToolError(absl::StrCat("inject: expected a place within ", shape_.rows, " rows and ", shape_.columns,
                                        " columns, found row ", injection.row, ", column ", injection.column, ", side ",
                                        injection.side));
    }
    const GoldenFault fault = {shape_.rows,       injection.row, injection.column, injection.side,
                               arguments_.result, action,        injection.bits};
    device_.Launch({.kernel = "golden_inject",
                    .groups = (uint64_t{injection.side} * injection.side + kGroupSize - 1) / kGroupSize,
                    .group_size = kGroupSize,
                    .buffers = {c_.data(), saved_.data()},
                    .arguments = &fault,
                    .arguments_size = sizeof(fault)});
  }

  // FNV-1a over the rows' weights of the round's first product.
  uint64_t Digest() {
    std::vector<u64> rows(shape_.rows);
    device_.ReadBack(rows.data(), kept_.data(), rows.size() * sizeof(u64));
    uint64_t digest = 0xcbf29ce484222325ull;
    for (const u64 row : rows) {
      for (int byte = 0; byte < 8; ++byte) digest = (digest ^ ((row >> (8 * byte)) & 0xff)) * 0x100000001b3ull;
    }
    return digest;
  }

  GoldenErrors TakeErrors() {
    GoldenErrors seen;
    device_.ReadBack(&seen, errors_.data(), sizeof(seen));
    device_.Zero(errors_.data(), sizeof(GoldenErrors));
    seen.recorded = std::min<u64>(seen.recorded, GOLDEN_RECORDS);
    return seen;
  }

  // What the round's checks found.
  bool Clean(uint32_t round) {
    const GoldenErrors seen = TakeErrors();
    report_.wrong_rows += seen.wrong_rows;
    report_.strips_not_whole += seen.not_whole;
    if (seen.wrong_rows == 0 && seen.not_whole == 0) return true;
    uint32_t first = options_.products_per_round;
    for (uint64_t i = 0; i < seen.recorded; ++i) first = std::min(first, seen.records[i].product);
    report_.first_wrong = absl::StrCat("round ", round, arguments_.span == 0 ? "" : " (scaled)", ", product ", first);
    // Only the last product still lies there.
    Locate(seen, options_.products_per_round - 1);
    Retest(seen, first);
    if (!report_.errors.empty()) return false;
    for (uint64_t i = 0; i < seen.recorded; ++i) report_.errors.push_back({.row = seen.records[i].row});
    return false;
  }

  // The same product again, each time after the other one, so that it must be written anew.
  void Retest(const GoldenErrors& seen, uint32_t product) {
    const bool inject = options_.injection && options_.injection->every;
    for (; report_.retests < kRetests; ++report_.retests) {
      engine_.Multiply(Operands(product + 1));
      MultiplyAndCheck(product, inject);
      const GoldenErrors again = TakeErrors();
      if (again.wrong_rows == 0 && again.not_whole == 0) continue;
      ++report_.wrong_retests;
      if (report_.errors.empty()) Locate(again, product);
    }
    report_.verdict = report_.wrong_retests == 0          ? GoldenVerdict::kOnce
                      : report_.wrong_retests == kRetests ? GoldenVerdict::kPermanent
                                                          : GoldenVerdict::kIntermittent;
  }

  // Looks through the rows that were found wrong in `product`, which lies in c.
  void Locate(const GoldenErrors& seen, uint32_t product) {
    std::set<uint32_t> rows;
    for (uint64_t i = 0; i < seen.recorded; ++i) {
      const GoldenRecord& record = seen.records[i];
      if (record.product != product) continue;
      for (uint32_t n = 0; n < (record.column == GOLDEN_FOUR_ROWS ? 4u : 1u); ++n) rows.insert(record.row + n);
    }
    for (const uint32_t row : rows) {
      GoldenArguments of_row = Arguments(product);
      of_row.row = row;
      Launch(arguments_.result == FORMAT_FP64 ? "golden_locate_fp64" : "golden_locate", shape_.columns,
             {c_.data(), errors_.data()}, of_row);
    }
    const GoldenErrors located = TakeErrors();
    for (uint64_t i = 0; i < located.recorded; ++i) {
      const GoldenRecord& record = located.records[i];
      report_.errors.push_back({record.row, record.column,
                                std::ldexp(static_cast<double>(record.expected), record.exponent),
                                NumberOf(record.found, arguments_.result)});
    }
    std::sort(report_.errors.begin(), report_.errors.end(), [](const GoldenError& x, const GoldenError& y) {
      return std::tie(x.row, x.column) < std::tie(y.row, y.column);
    });
  }

  ComputeDevice& device_;
  MatrixEngine& engine_;
  const GoldenOptions options_;
  const MatrixProduct shape_;
  const DeviceMemory a_, b_, c_;
  const DeviceMemory errors_;
  // By the product's right operand.
  const DeviceMemory sums_[2];      // b × weights.
  const DeviceMemory expected_[2];  // a × b × weights.
  const DeviceMemory weights_[2];   // Of the columns.
  const DeviceMemory rows_;         // c × weights, of the product at hand.
  const DeviceMemory kept_;         // The same of the round's first product.
  const DeviceMemory saved_;        // Entries of c, for an injected fault.
  GoldenArguments arguments_ = {};
  double checked_seconds_ = 0;
  double compared_seconds_ = 0;
  double unchecked_seconds_ = 0;
  uint64_t compared_ = 0;
  uint64_t unchecked_ = 0;
  GoldenReport report_;
};

void RequireWhole(const MatrixProduct& product) {
  for (const uint32_t size : {product.rows, product.columns, product.depth}) {
    if (size == 0 || size % 64 != 0)
      throw sdk::ToolError(absl::StrCat("expected a size that is a multiple of 64, found ", size));
  }
  const uint64_t longest = std::max(product.rows, product.columns + GOLDEN_SHIFT);
  if (longest * product.depth > (1ull << 31) + GOLDEN_SHIFT * product.depth) {
    throw sdk::ToolError(
        absl::StrCat("expected at most 2^31 entries of an operand, found ", longest, " lines of ", product.depth));
  }
}

}  // namespace

// fp32 sums hold whole numbers to 2^24: 7 × 7 × 131,072 is less. Hopper's fp8 units keep fewer bits of the sum of a
// block of products: 3 × 3 × 32 terms stay within them.
uint32_t GoldenBound(sdk::MatrixType type) { return type == sdk::MatrixType::kFp8 ? 3 : 7; }

std::string GoldenVerdictName(GoldenVerdict verdict) {
  switch (verdict) {
    case GoldenVerdict::kNone:
      return "none";
    case GoldenVerdict::kOnce:
      return "once";
    case GoldenVerdict::kIntermittent:
      return "intermittent";
    case GoldenVerdict::kPermanent:
      return "permanent";
  }
  return "none";
}

std::string GoldenError::Describe() const {
  if (!column) return absl::StrFormat("row %u: an entry of it was wrong; the product is overwritten", row);
  return absl::StrFormat("row %u, column %u: expected %.17g, found %.17g", row, *column, expected, found);
}

GoldenReport RunGolden(ComputeDevice& device, MatrixEngine& engine, const GoldenOptions& options) {
  RequireWhole(options.product);
  if (options.products_per_round < 2) throw sdk::ToolError("expected two products a round, by turns");
  if (options.reference_size == 0) return Golden(device, engine, options).Run();
  GoldenOptions of_reference = options;
  of_reference.product.rows = of_reference.product.columns = of_reference.product.depth = options.reference_size;
  of_reference.product.trials = 1;
  of_reference.seconds = 0;
  of_reference.products_per_round = 2;
  of_reference.unchecked_seconds = 0;
  of_reference.host_expects_all = true;
  of_reference.injection.reset();
  const GoldenReport reference = Golden(device, engine, of_reference).Run();
  if (!reference.unsupported.empty() || !reference.first_wrong.empty()) return reference;
  GoldenReport report = Golden(device, engine, options).Run();
  report.digest = reference.digest;
  return report;
}

}  // namespace muster::physical
