#include "suites/physical/cublas_engine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "suites/sdk/outcome.h"

namespace muster::physical {
namespace {

constexpr uint64_t kWorkspaceBytes = 64 << 20;
constexpr int kTrials = 3;

}  // namespace

CublasEngine::CublasEngine(std::unique_ptr<CublasLt> library, CudaDevice& device)
    : library_(std::move(library)), device_(device), workspace_(device.Allocate(kWorkspaceBytes)) {
  if (workspace_ == nullptr) throw sdk::ToolError("expected 64 MiB of free device memory for cuBLASLt");
}

CublasEngine::~CublasEngine() { device_.Free(workspace_); }

std::string CublasEngine::Name() const { return absl::StrCat("cuBLASLt ", library_->version()); }

std::string CublasEngine::Prepare(sdk::MatrixType type, uint32_t size, void* a, void* b, void* c) {
  auto product = library_->Prepare({.a = a,
                                    .b = b,
                                    .c = c,
                                    .size = size,
                                    .type = type,
                                    .wide_result = true,
                                    .transpose_a = true,
                                    .workspace = workspace_,
                                    .workspace_bytes = kWorkspaceBytes});
  if (!product.ok()) return std::string(product.status().message());
  product_ = *std::move(product);
  double fastest = 0;
  for (size_t i = 0; i < product_->algorithms(); ++i) {
    double seconds = 0;
    bool queued = true;
    for (int trial = 0; trial < kTrials && queued; ++trial) {
      const double once = device_.Seconds([&] { queued = product_->Queue(i, device_.stream()); });
      seconds = trial == 0 ? once : std::min(seconds, once);
    }
    if (!queued || (fastest > 0 && seconds >= fastest)) continue;
    fastest = seconds;
    algorithm_ = i;
  }
  return fastest > 0 ? "" : "cuBLASLt refused each algorithm that it had proposed";
}

void CublasEngine::Multiply() {
  if (!product_->Queue(algorithm_, device_.stream())) throw sdk::ToolError("cublasLtMatmul failed");
}

}  // namespace muster::physical
