#include "suites/physical/cublas_engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "suites/sdk/cuda/check.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint64_t kWorkspaceBytes = 64 << 20;
// Of each algorithm among several; the first also loads its code.
constexpr int kRuns = 3;

}  // namespace

CublasEngine::CublasEngine(CublasLt& library, CudaDevice& device)
    : library_(library), device_(device), workspace_(device.Allocate(kWorkspaceBytes)) {
  if (workspace_ == nullptr) throw sdk::ToolError("expected 64 MiB of free device memory for cuBLASLt");
}

CublasEngine::~CublasEngine() { device_.Free(workspace_); }

std::string CublasEngine::Name() const { return absl::StrCat("cuBLASLt ", library_.version()); }

std::string CublasEngine::Prepare(const MatrixProduct& wanted, const MatrixOperands& operands) {
  CUDA_CHECK(cudaSetDevice(device_.ordinal()));
  auto product = library_.Prepare(wanted, {.memory = workspace_, .bytes = kWorkspaceBytes});
  if (!product.ok()) return std::string(product.status().message());
  product_ = *std::move(product);
  double fastest = 0;
  for (size_t i = 0; i < product_->algorithms(); ++i) {
    double seconds = 0;
    bool queued = true;
    for (int run = 0; run < (product_->algorithms() == 1 ? 1 : kRuns) && queued; ++run) {
      const double once = device_.Seconds([&] { queued = product_->Queue(i, operands, device_.stream()); });
      seconds = run == 0 ? once : std::min(seconds, once);
    }
    if (!queued || (fastest > 0 && seconds >= fastest)) continue;
    fastest = seconds;
    algorithm_ = i;
  }
  return fastest > 0 ? "" : "cuBLASLt refused each algorithm that it had proposed";
}

void CublasEngine::Multiply(const MatrixOperands& operands) {
  CUDA_CHECK(cudaSetDevice(device_.ordinal()));
  if (!product_->Queue(algorithm_, operands, device_.stream())) throw sdk::ToolError("cublasLtMatmul failed");
}

}  // namespace muster::physical
