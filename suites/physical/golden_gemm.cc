#include "suites/physical/golden_gemm.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint32_t kGroupSize = 256;
constexpr uint32_t kFillGroups = 2048;

uint32_t InputOf(sdk::MatrixType type) {
  switch (type) {
    case sdk::MatrixType::kFp64:
      return GOLDEN_FP64;
    case sdk::MatrixType::kFp32:
    case sdk::MatrixType::kTf32:
      return GOLDEN_FP32;
    case sdk::MatrixType::kFp16:
      return GOLDEN_FP16;
    case sdk::MatrixType::kBf16:
      return GOLDEN_BF16;
    case sdk::MatrixType::kInt8:
      return GOLDEN_INT8;
    case sdk::MatrixType::kFp8:
      return GOLDEN_FP8;
  }
  return GOLDEN_FP32;
}

uint32_t ResultOf(sdk::MatrixType type) {
  if (type == sdk::MatrixType::kFp64) return GOLDEN_FP64;
  return type == sdk::MatrixType::kInt8 ? GOLDEN_INT32 : GOLDEN_FP32;
}

uint64_t BytesOf(uint32_t kept) {
  if (kept == GOLDEN_FP64) return 8;
  if (kept == GOLDEN_FP32 || kept == GOLDEN_INT32) return 4;
  return kept == GOLDEN_FP16 || kept == GOLDEN_BF16 ? 2 : 1;
}

double NumberOf(u64 bits, uint32_t kept) {
  if (kept == GOLDEN_FP64) return AS_DOUBLE(bits);
  return kept == GOLDEN_INT32 ? static_cast<double>(static_cast<int32_t>(bits)) : AS_FLOAT(bits);
}

class Buffer {
 public:
  Buffer(ComputeDevice& device, uint64_t bytes) : device_(device), data_(device.Allocate(bytes)) {
    if (data_ == nullptr)
      throw sdk::ToolError(
          absl::StrCat("expected ", bytes, " bytes of free device memory, found ", device.FreeBytes()));
  }
  ~Buffer() { device_.Free(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  void* data() const { return data_; }

 private:
  ComputeDevice& device_;
  void* const data_;
};

class PlainEngine final : public MatrixEngine {
 public:
  explicit PlainEngine(ComputeDevice& device) : device_(device) {}
  std::string Name() const override { return "plain kernel"; }
  std::string Prepare(sdk::MatrixType type, uint32_t size, void* a, void* b, void* c) override {
    if (type != sdk::MatrixType::kFp32) return "the plain kernel multiplies fp32 alone";
    arguments_.size = size;
    buffers_ = {c, c, a, b};  // It reports no errors.
    return "";
  }
  void Multiply() override {
    const uint64_t items = uint64_t{arguments_.size} * arguments_.size;
    device_.Launch({.kernel = "golden_multiply",
                    .groups = (items + kGroupSize - 1) / kGroupSize,
                    .group_size = kGroupSize,
                    .buffers = buffers_,
                    .arguments = &arguments_,
                    .arguments_size = sizeof(arguments_)});
  }

 private:
  ComputeDevice& device_;
  GoldenArguments arguments_ = {};
  std::vector<void*> buffers_;
};

class Golden {
 public:
  Golden(ComputeDevice& device, MatrixEngine& engine, const GoldenOptions& options)
      : device_(device),
        engine_(engine),
        options_(options),
        count_(uint64_t{options.size} * options.size),
        a_(device, count_ * BytesOf(InputOf(options.type))),
        b_(device, count_ * BytesOf(InputOf(options.type))),
        c_(device, count_ * BytesOf(ResultOf(options.type))),
        errors_(device, sizeof(GoldenErrors)),
        sums_(device, options.size * sizeof(u64)),
        expected_(device, options.size * sizeof(u64)),
        rows_(device, options.size * sizeof(u64)),
        kept_(device, options.size * sizeof(u64)),
        weights_(device, options.size * sizeof(int)) {
    arguments_.size = options.size;
    arguments_.bound = GoldenBound(options.type);
    arguments_.input = InputOf(options.type);
    arguments_.result = ResultOf(options.type);
  }

  GoldenReport Run() {
    report_.unsupported = engine_.Prepare(options_.type, options_.size, a_.data(), b_.data(), c_.data());
    if (!report_.unsupported.empty()) return report_;
    const double of_product = 2.0 * std::pow(static_cast<double>(options_.size), 3);
    double checked_seconds = 0;
    double unchecked_seconds = 0;
    device_.Zero(rows_.data(), options_.size * sizeof(u64));
    for (uint32_t round = 0; round == 0 || checked_seconds < options_.seconds; ++round) {
      Begin(round);
      if (round == 0) ExpectOnHostToo();
      device_.Zero(errors_.data(), sizeof(GoldenErrors));
      unchecked_seconds += device_.Seconds([&] {
        for (uint32_t i = 0; i < options_.products_per_round; ++i) engine_.Multiply();
      });
      // An entry that is never written shows in the next round, whose operands are others; one that is left out once,
      // in a later product of the same round, still holds the right value and does not.
      checked_seconds += device_.Seconds([&] {
        for (uint32_t i = 0; i < options_.products_per_round; ++i) {
          engine_.Multiply();
          if (options_.injection && i + 1 == options_.products_per_round) Inject();
          Check();
        }
      });
      report_.products += options_.products_per_round;
      if (round == 0) report_.digest = Digest();
      if (!Clean()) break;
    }
    report_.operations = of_product * static_cast<double>(report_.products);
    if (checked_seconds > 0) report_.checked_per_second = report_.operations / checked_seconds;
    if (unchecked_seconds > 0) report_.unchecked_per_second = report_.operations / unchecked_seconds;
    return report_;
  }

 private:
  void Launch(const char* kernel, uint64_t items, std::vector<void*> buffers, const GoldenArguments& arguments) {
    device_.Launch({.kernel = kernel,
                    .groups = (items + kGroupSize - 1) / kGroupSize,
                    .group_size = kGroupSize,
                    .buffers = std::move(buffers),
                    .arguments = &arguments,
                    .arguments_size = sizeof(arguments)});
  }
  uint64_t Strips(uint32_t width) const { return (options_.size + width - 1) / width; }

  // Fresh operands, and what their product's rows weigh.
  void Begin(uint32_t round) {
    const u32 base = mix_bits(static_cast<u32>(options_.seed)) ^ static_cast<u32>(options_.seed >> 32);
    arguments_.key_a = mix_bits(base + 3 * round);
    arguments_.key_b = mix_bits(base + 3 * round + 1);
    arguments_.key_weights = mix_bits(base + 3 * round + 2);
    GoldenArguments of_b = arguments_;
    of_b.key_a = arguments_.key_b;
    Launch("golden_fill", uint64_t{kFillGroups} * kGroupSize, {a_.data(), errors_.data()}, arguments_);
    Launch("golden_fill", uint64_t{kFillGroups} * kGroupSize, {b_.data(), errors_.data()}, of_b);
    device_.Zero(sums_.data(), options_.size * sizeof(u64));
    device_.Zero(expected_.data(), options_.size * sizeof(u64));
    Launch("golden_weights", options_.size, {weights_.data(), errors_.data()}, arguments_);
    Launch("golden_weigh_b", Strips(GOLDEN_STRIP) * options_.size, {sums_.data(), errors_.data()}, arguments_);
    Launch("golden_expect_rows", Strips(GOLDEN_STRIP) * options_.size, {expected_.data(), errors_.data(), sums_.data()},
           arguments_);
  }

  // The device's expectation against the host's.
  void ExpectOnHostToo() {
    const uint32_t size = options_.size;
    std::vector<u64> sums(size);
    InParallel([&](uint32_t k) {
      int64_t sum = 0;
      for (uint32_t j = 0; j < size; ++j) {
        sum += int64_t{golden_weight(arguments_.key_weights, j)} *
               golden_value(arguments_.key_b, j * size + k, arguments_.bound);
      }
      sums[k] = static_cast<u64>(sum);
    });
    std::vector<u64> rows(size);
    InParallel([&](uint32_t i) {
      int64_t row = 0;
      for (uint32_t k = 0; k < size; ++k) {
        row += golden_value(arguments_.key_a, i * size + k, arguments_.bound) * static_cast<int64_t>(sums[k]);
      }
      rows[i] = static_cast<u64>(row);
    });
    std::vector<u64> on_device(size);
    device_.ReadBack(on_device.data(), expected_.data(), size * sizeof(u64));
    const auto [host, device] = std::mismatch(rows.begin(), rows.end(), on_device.begin());
    if (host == rows.end()) return;
    throw sdk::DeviceFailure(absl::StrCat("the device computes other checksums than the host: row ",
                                          host - rows.begin(), ", expected ", static_cast<int64_t>(*host), ", found ",
                                          static_cast<int64_t>(*device), ": its integer units are at fault"));
  }

  // `work` for each row, on the host's processors.
  void InParallel(const std::function<void(uint32_t row)>& work) const {
    const uint32_t threads = std::clamp(std::thread::hardware_concurrency(), 1u, 16u);
    std::vector<std::thread> pool;
    for (uint32_t t = 0; t < threads; ++t) {
      pool.emplace_back([&work, t, threads, size = options_.size] {
        for (uint32_t row = t; row < size; row += threads) work(row);
      });
    }
    for (std::thread& thread : pool) thread.join();
  }

  void Check() {
    if (arguments_.result == GOLDEN_FP64) {
      Launch("golden_weigh_c_fp64", Strips(GOLDEN_RESULT_STRIP) * options_.size,
             {rows_.data(), errors_.data(), c_.data(), weights_.data()}, arguments_);
    } else {
      Launch("golden_weigh_c", Strips(GOLDEN_RESULT_STRIP) * options_.size / 4,
             {rows_.data(), errors_.data(), c_.data(), weights_.data()}, arguments_);
    }
    Launch("golden_compare", options_.size, {rows_.data(), errors_.data(), expected_.data(), kept_.data()}, arguments_);
  }

  void Inject() {
    const GoldenInjection& injection = *options_.injection;
    if (uint64_t{injection.row} + injection.side > options_.size ||
        uint64_t{injection.column} + injection.side > options_.size) {
      throw sdk::ToolError(absl::StrCat("inject: expected a place within ", options_.size,
                                        " rows and columns, found row ", injection.row, ", column ", injection.column,
                                        ", side ", injection.side));
    }
    const GoldenFault fault = {options_.size,     injection.row,           injection.column, injection.side,
                               arguments_.result, injection.set ? 1u : 0u, injection.bits};
    device_.Launch({.kernel = "golden_inject",
                    .groups = (uint64_t{injection.side} * injection.side + kGroupSize - 1) / kGroupSize,
                    .group_size = kGroupSize,
                    .buffers = {c_.data(), errors_.data()},
                    .arguments = &fault,
                    .arguments_size = sizeof(fault)});
  }

  // FNV-1a over the rows' weights.
  uint64_t Digest() {
    std::vector<u64> rows(options_.size);
    device_.ReadBack(rows.data(), kept_.data(), rows.size() * sizeof(u64));
    uint64_t digest = 0xcbf29ce484222325ull;
    for (const u64 row : rows) {
      for (int byte = 0; byte < 8; ++byte) digest = (digest ^ ((row >> (8 * byte)) & 0xff)) * 0x100000001b3ull;
    }
    return digest;
  }

  // What the round's checks found; locates the entries when the wrong product is the one that still lies there.
  bool Clean() {
    GoldenErrors seen;
    device_.ReadBack(&seen, errors_.data(), sizeof(seen));
    report_.wrong_rows += seen.wrong_rows;
    report_.strips_not_whole += seen.not_whole;
    if (seen.wrong_rows == 0 && seen.not_whole == 0) return true;
    std::set<uint32_t> rows;
    for (uint64_t i = 0; i < std::min<uint64_t>(seen.recorded, GOLDEN_RECORDS); ++i) {
      const GoldenRecord& record = seen.records[i];
      for (uint32_t n = 0; n < (record.column == GOLDEN_FOUR_ROWS ? 4u : 1u); ++n) rows.insert(record.row + n);
    }
    device_.Zero(errors_.data(), sizeof(GoldenErrors));
    for (const uint32_t row : rows) {
      GoldenArguments of_row = arguments_;
      of_row.row = row;
      Launch(arguments_.result == GOLDEN_FP64 ? "golden_locate_fp64" : "golden_locate", options_.size,
             {c_.data(), errors_.data()}, of_row);
    }
    GoldenErrors located;
    device_.ReadBack(&located, errors_.data(), sizeof(located));
    for (uint64_t i = 0; i < std::min<uint64_t>(located.recorded, GOLDEN_RECORDS); ++i) {
      const GoldenRecord& record = located.records[i];
      report_.errors.push_back({record.row, record.column, record.expected, NumberOf(record.found, arguments_.result)});
    }
    std::sort(report_.errors.begin(), report_.errors.end(), [](const GoldenError& x, const GoldenError& y) {
      return std::pair(x.row, x.column) < std::pair(y.row, y.column);
    });
    return false;
  }

  ComputeDevice& device_;
  MatrixEngine& engine_;
  const GoldenOptions options_;
  const uint64_t count_;
  const Buffer a_, b_, c_;
  const Buffer errors_;
  const Buffer sums_;      // b × weights.
  const Buffer expected_;  // a × b × weights.
  const Buffer rows_;      // c × weights, of the product at hand.
  const Buffer kept_;      // The same of the last product.
  const Buffer weights_;   // Of the columns.
  GoldenArguments arguments_ = {};
  GoldenReport report_;
};

uint32_t Number(const std::string& text, const std::string& whole) {
  uint32_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) {
    throw sdk::ToolError(absl::StrCat("inject_gemm: expected a number, found '", text, "' in '", whole, "'"));
  }
  return number;
}

}  // namespace

std::unique_ptr<MatrixEngine> MakePlainEngine(ComputeDevice& device) { return std::make_unique<PlainEngine>(device); }

// fp32 sums hold whole numbers to 2^24: 7 × 7 × 32,768 is less. Hopper's fp8 units keep fewer bits of the sum of a
// block of products: 3 × 3 × 32 terms stay within them.
uint32_t GoldenBound(sdk::MatrixType type) { return type == sdk::MatrixType::kFp8 ? 3 : 7; }

std::string MatrixTypeName(sdk::MatrixType type) {
  switch (type) {
    case sdk::MatrixType::kFp64:
      return "fp64";
    case sdk::MatrixType::kFp32:
      return "fp32";
    case sdk::MatrixType::kTf32:
      return "tf32";
    case sdk::MatrixType::kFp16:
      return "fp16";
    case sdk::MatrixType::kBf16:
      return "bf16";
    case sdk::MatrixType::kInt8:
      return "int8";
    case sdk::MatrixType::kFp8:
      return "fp8";
  }
  return "unknown";
}

std::optional<GoldenInjection> ParseGoldenInjection(const std::string& text, sdk::MatrixType type) {
  if (text.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  const bool fp64 = type == sdk::MatrixType::kFp64;
  GoldenInjection injection;
  if (parts.size() >= 3) {
    injection.row = Number(parts[1], text);
    injection.column = Number(parts[2], text);
  }
  if (parts[0] == "bit" && parts.size() == 4) {
    const uint32_t bit = Number(parts[3], text);
    if (bit < (fp64 ? 64u : 32u)) {
      injection.bits = uint64_t{1} << bit;
      return injection;
    }
  }
  if (parts.size() == 3 && (parts[0] == "nan" || parts[0] == "inf" || parts[0] == "tile")) {
    injection.set = true;
    if (parts[0] == "tile") injection.side = 16;
    const bool nan = parts[0] == "nan";
    if (parts[0] != "tile") {
      injection.bits = fp64 ? DOUBLE_BITS(nan ? std::nan("") : HUGE_VAL) : FLOAT_BITS(nan ? std::nanf("") : HUGE_VALF);
    }
    return injection;
  }
  throw sdk::ToolError(absl::StrCat(
      "inject_gemm: expected bit:ROW:COLUMN:BIT, nan:ROW:COLUMN, inf:ROW:COLUMN or tile:ROW:COLUMN, found '", text,
      "'"));
}

std::string GoldenError::Describe() const {
  return absl::StrFormat("row %u, column %u: expected %d, found %.17g", row, column, expected, found);
}

GoldenReport RunGolden(ComputeDevice& device, MatrixEngine& engine, const GoldenOptions& options) {
  if (options.size == 0 || options.size % 64 != 0 || options.size > 32768) {
    throw sdk::ToolError(
        absl::StrCat("expected a size that is a multiple of 64 and at most 32768, found ", options.size));
  }
  return Golden(device, engine, options).Run();
}

}  // namespace muster::physical
