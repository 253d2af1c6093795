#include "suites/physical/matrix_engine.h"

#include "suites/physical/plain_gemm.kernels.h"

namespace muster::physical {
namespace {

using sdk::MatrixType;

class PlainEngine final : public MatrixEngine {
 public:
  explicit PlainEngine(ComputeDevice& device) : device_(device) {}
  std::string Name() const override { return "plain kernel"; }
  bool UsesMatrixUnits() const override { return false; }
  std::string Prepare(const MatrixProduct& product, const MatrixOperands& operands) override {
    if (product.type == MatrixType::kFp64 && !device_.Traits().fp64) return "this GPU has no double precision";
    if (product.a_in_columns) return "the plain kernel's first operand lies in rows";
    if (!product.wide_result) return "the plain kernel's results are of the type of the sums";
    if (product.rows % PLAIN_TILE != 0 || product.columns % PLAIN_TILE != 0 || product.depth % PLAIN_STEP != 0)
      return "the plain kernel multiplies whole tiles of 64 rows and columns";
    arguments_ = {product.rows, product.columns, product.depth, product.InputFormat()};
    result_bytes_ = BytesOfFormat(product.ResultFormat());
    kernel_ = product.type == MatrixType::kFp64   ? "plain_multiply_fp64"
              : product.type == MatrixType::kInt8 ? "plain_multiply_int8"
                                                  : "plain_multiply";
    return "";
  }
  void Multiply(const MatrixOperands& operands) override {
    device_.Launch({.kernel = kernel_,
                    .groups = uint64_t{arguments_.rows / PLAIN_TILE} * (arguments_.columns / PLAIN_TILE),
                    .group_size = 256,
                    .buffers = {operands.c, operands.a, operands.b},
                    .arguments = &arguments_,
                    .arguments_size = sizeof(arguments_),
                    .local_bytes = PLAIN_LOCAL_BYTES(result_bytes_)});
  }

 private:
  ComputeDevice& device_;
  PlainArguments arguments_ = {};
  uint32_t result_bytes_ = 4;
  const char* kernel_ = "plain_multiply";
};

}  // namespace

uint32_t MatrixProduct::InputFormat() const {
  switch (type) {
    case MatrixType::kFp64:
      return FORMAT_FP64;
    case MatrixType::kFp32:
    case MatrixType::kTf32:
      return FORMAT_FP32;
    case MatrixType::kFp16:
      return FORMAT_FP16;
    case MatrixType::kBf16:
      return FORMAT_BF16;
    case MatrixType::kInt8:
      return FORMAT_INT8;
    case MatrixType::kFp8:
      return FORMAT_FP8;
  }
  return FORMAT_FP32;
}

uint32_t MatrixProduct::ResultFormat() const {
  if (type == MatrixType::kFp64) return FORMAT_FP64;
  if (type == MatrixType::kInt8) return FORMAT_INT32;
  if (wide_result) return FORMAT_FP32;
  return type == MatrixType::kFp8 ? FORMAT_BF16 : InputFormat();
}

uint64_t MatrixProduct::BytesOfA() const { return uint64_t{rows} * depth * BytesOfFormat(InputFormat()); }
uint64_t MatrixProduct::BytesOfB() const { return uint64_t{depth} * columns * BytesOfFormat(InputFormat()); }
uint64_t MatrixProduct::BytesOfC() const { return uint64_t{rows} * columns * BytesOfFormat(ResultFormat()); }

std::string MatrixEngine::Prepare(MatrixType type, uint32_t size, void* a, void* b, void* c) {
  operands_ = {a, b, c};
  return Prepare({.type = type, .rows = size, .columns = size, .depth = size}, operands_);
}

std::unique_ptr<MatrixEngine> MakePlainEngine(ComputeDevice& device) { return std::make_unique<PlainEngine>(device); }

std::string MatrixTypeName(MatrixType type) {
  switch (type) {
    case MatrixType::kFp64:
      return "fp64";
    case MatrixType::kFp32:
      return "fp32";
    case MatrixType::kTf32:
      return "tf32";
    case MatrixType::kFp16:
      return "fp16";
    case MatrixType::kBf16:
      return "bf16";
    case MatrixType::kInt8:
      return "int8";
    case MatrixType::kFp8:
      return "fp8";
  }
  return "unknown";
}

uint32_t BytesOfFormat(uint32_t format) {
  if (format == FORMAT_FP64) return 8;
  if (format == FORMAT_FP32 || format == FORMAT_INT32) return 4;
  return format == FORMAT_FP16 || format == FORMAT_BF16 ? 2 : 1;
}

}  // namespace muster::physical
