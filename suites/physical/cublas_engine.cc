#include "suites/physical/cublas_engine.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "suites/physical/algorithm_trials.h"
#include "suites/sdk/cuda/check.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint64_t kWorkspaceBytes = 64 << 20;

}  // namespace

CublasEngine::CublasEngine(CublasLt& library, CudaDevice& device)
    : library_(library), device_(device), workspace_(device.Allocate(kWorkspaceBytes)) {
  if (workspace_ == nullptr) throw sdk::ToolError("expected 64 MiB of free device memory for cuBLASLt");
}

CublasEngine::~CublasEngine() { device_.Free(workspace_); }

std::string CublasEngine::Name() const { return absl::StrCat("cuBLASLt ", library_.version()); }

std::string CublasEngine::Prepare(const MatrixProduct& wanted, const MatrixOperands& operands) {
  if (wanted.a_in_columns && !TakesColumnsOfA(wanted.type))
    return "cuBLASLt multiplies " + MatrixTypeName(wanted.type) + " with the first operand in rows alone";
  CUDA_CHECK(cudaSetDevice(device_.ordinal()));
  auto product = library_.Prepare(wanted, {.memory = workspace_, .bytes = kWorkspaceBytes});
  if (!product.ok()) return std::string(product.status().message());
  product_ = *std::move(product);
  const auto fastest = FastestAlgorithm(product_->algorithms(), [&](size_t algorithm, uint64_t runs) {
    bool queued = true;
    const double seconds = device_.Seconds([&] {
      for (uint64_t i = 0; i < runs && queued; ++i) queued = product_->Queue(algorithm, operands, device_.stream());
    });
    return queued ? std::optional(seconds) : std::nullopt;
  });
  if (!fastest.has_value()) return "cuBLASLt refused each algorithm that it had proposed";
  algorithm_ = *fastest;
  return "";
}

void CublasEngine::Multiply(const MatrixOperands& operands) {
  CUDA_CHECK(cudaSetDevice(device_.ordinal()));
  if (!product_->Queue(algorithm_, operands, device_.stream())) throw sdk::ToolError("cublasLtMatmul failed");
}

}  // namespace muster::physical
