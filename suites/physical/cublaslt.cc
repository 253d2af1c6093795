#include "suites/physical/cublaslt.h"

#include <cublasLt.h>
#include <dlfcn.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "suites/sdk/outcome.h"
#include "suites/sdk/parameters.h"

namespace muster::physical {
namespace {

// As many as are worth timing.
constexpr int kMaxAlgorithms = 16;

// What cuBLASLt calls a product of this type.
struct TypeNames {
  cudaDataType_t input;
  cudaDataType_t sum;
  cublasComputeType_t compute;
  cudaDataType_t narrow;  // Of results that are not in the type of the sums.
};
TypeNames NamesOf(sdk::MatrixType type) {
  switch (type) {
    case sdk::MatrixType::kFp64:
      return {CUDA_R_64F, CUDA_R_64F, CUBLAS_COMPUTE_64F, CUDA_R_64F};
    case sdk::MatrixType::kFp32:
      return {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F, CUDA_R_32F};
    case sdk::MatrixType::kTf32:
      return {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32, CUDA_R_32F};
    case sdk::MatrixType::kFp16:
      return {CUDA_R_16F, CUDA_R_32F, CUBLAS_COMPUTE_32F, CUDA_R_16F};
    case sdk::MatrixType::kBf16:
      return {CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F, CUDA_R_16BF};
    case sdk::MatrixType::kInt8:
      return {CUDA_R_8I, CUDA_R_32I, CUBLAS_COMPUTE_32I, CUDA_R_32I};
    case sdk::MatrixType::kFp8:
      return {CUDA_R_8F_E4M3, CUDA_R_32F, CUBLAS_COMPUTE_32F, CUDA_R_16BF};
  }
  return {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F, CUDA_R_32F};
}

absl::Status ToStatus(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(what, " gave cuBLAS status ", static_cast<int>(status)));
}

}  // namespace

struct CublasLt::Functions {
  decltype(&cublasLtCreate) create;
  decltype(&cublasLtDestroy) destroy;
  decltype(&cublasLtGetVersion) get_version;
  decltype(&cublasLtMatmulDescCreate) desc_create;
  decltype(&cublasLtMatmulDescDestroy) desc_destroy;
  decltype(&cublasLtMatmulDescSetAttribute) desc_set;
  decltype(&cublasLtMatrixLayoutCreate) layout_create;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set;
  decltype(&cublasLtMatmulAlgoGetHeuristic) get_heuristic;
  decltype(&cublasLtMatmul) matmul;

  // False when `library` lacks one of them.
  bool Find(void* library) {
    const auto find = [library](auto& function, const char* name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    return find(create, "cublasLtCreate") && find(destroy, "cublasLtDestroy") &&
           find(get_version, "cublasLtGetVersion") && find(desc_create, "cublasLtMatmulDescCreate") &&
           find(desc_destroy, "cublasLtMatmulDescDestroy") && find(desc_set, "cublasLtMatmulDescSetAttribute") &&
           find(layout_create, "cublasLtMatrixLayoutCreate") && find(layout_destroy, "cublasLtMatrixLayoutDestroy") &&
           find(preference_create, "cublasLtMatmulPreferenceCreate") &&
           find(preference_destroy, "cublasLtMatmulPreferenceDestroy") &&
           find(preference_set, "cublasLtMatmulPreferenceSetAttribute") &&
           find(get_heuristic, "cublasLtMatmulAlgoGetHeuristic") && find(matmul, "cublasLtMatmul");
  }
};

LibraryNames CublasLtNames() {
  return {.names = {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"},
          .file = "libcublasLt.so.[0-9]*",
          .packages = {"cu13", "cublas"}};
}

CublasLt& SharedCublasLt() {
  // Never freed: at the process's end CUDA may be gone before.
  static base::Mutex mutex;
  static CublasLt* shared ABSL_GUARDED_BY(mutex) = nullptr;
  const base::MutexLock lock(mutex);
  if (shared != nullptr) return *shared;
  auto loaded = CublasLt::Load(LibraryCandidates(CublasLtNames(), sdk::Parameter<std::string>("cublaslt_library")));
  if (absl::IsNotFound(loaded.status())) throw sdk::DeviceSkipped(std::string(loaded.status().message()));
  if (!loaded.ok()) throw sdk::ToolError(std::string(loaded.status().message()));
  shared = loaded->release();
  return *shared;
}

CublasLt::CublasLt(std::unique_ptr<Functions> functions, std::string path)
    : functions_(std::move(functions)), path_(std::move(path)) {}

CublasLt::~CublasLt() {
  const base::MutexLock lock(mutex_);
  for (const auto& [device, handle] : handles_) functions_->destroy(static_cast<cublasLtHandle_t>(handle));
}

absl::StatusOr<std::unique_ptr<CublasLt>> CublasLt::Load(const std::vector<std::string>& candidates) {
  for (const std::string& candidate : candidates) {
    void* library = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) continue;
    auto functions = std::make_unique<Functions>();
    if (!functions->Find(library)) continue;
    return std::unique_ptr<CublasLt>(new CublasLt(std::move(functions), candidate));
  }
  return absl::NotFoundError(
      absl::StrCat("no libcublasLt could be loaded; tried ", absl::StrJoin(candidates, ", "),
                   "; install CUDA's libcublas or set LD_LIBRARY_PATH or the parameter cublaslt_library"));
}

std::string CublasLt::version() const {
  const size_t version = functions_->get_version();
  // 130002 from version 11.4 on; 11100 before.
  return absl::StrCat(version / 10000, ".", version / 100 % 100, ".", version % 100);
}

absl::StatusOr<void*> CublasLt::Handle() {
  int device = 0;
  cudaGetDevice(&device);
  const base::MutexLock lock(mutex_);
  void*& handle = handles_[device];
  if (handle != nullptr) return handle;
  cublasLtHandle_t created = nullptr;
  RETURN_IF_ERROR(ToStatus(functions_->create(&created), "cublasLtCreate"));
  handle = created;
  return handle;
}

struct CublasLt::Product::State {
  const Functions& functions;
  const cublasLtHandle_t handle;
  const MatrixProduct product;
  const Workspace workspace;
  cublasLtMatmulDesc_t description = nullptr;
  cublasLtMatrixLayout_t a = nullptr;
  cublasLtMatrixLayout_t b = nullptr;
  cublasLtMatrixLayout_t c = nullptr;
  std::vector<cublasLtMatmulAlgo_t> algorithms;
};

CublasLt::Product::Product(const Functions& functions, void* handle, const MatrixProduct& product,
                           const Workspace& workspace)
    : state_(new State{.functions = functions,
                       .handle = static_cast<cublasLtHandle_t>(handle),
                       .product = product,
                       .workspace = workspace}) {}

CublasLt::Product::~Product() {
  for (const cublasLtMatrixLayout_t layout : {state_->a, state_->b, state_->c}) {
    if (layout != nullptr) state_->functions.layout_destroy(layout);
  }
  if (state_->description != nullptr) state_->functions.desc_destroy(state_->description);
}

absl::Status CublasLt::Product::FindAlgorithms() {
  const Functions& lt = state_->functions;
  const MatrixProduct& product = state_->product;
  const TypeNames names = NamesOf(product.type);
  RETURN_IF_ERROR(ToStatus(lt.desc_create(&state_->description, names.compute, names.sum), "cublasLtMatmulDescCreate"));
  // To cuBLASLt, whose matrices lie in columns, a in rows is its transpose; fp8 and int8 want it so.
  const cublasOperation_t of_a = product.a_in_columns ? CUBLAS_OP_N : CUBLAS_OP_T;
  RETURN_IF_ERROR(ToStatus(lt.desc_set(state_->description, CUBLASLT_MATMUL_DESC_TRANSA, &of_a, sizeof(of_a)),
                           "cublasLtMatmulDescSetAttribute"));
  const auto make_layout = [&](cublasLtMatrixLayout_t* layout, cudaDataType_t type, uint32_t rows, uint32_t columns) {
    return ToStatus(lt.layout_create(layout, type, rows, columns, rows), "cublasLtMatrixLayoutCreate");
  };
  RETURN_IF_ERROR(product.a_in_columns ? make_layout(&state_->a, names.input, product.rows, product.depth)
                                       : make_layout(&state_->a, names.input, product.depth, product.rows));
  RETURN_IF_ERROR(make_layout(&state_->b, names.input, product.depth, product.columns));
  RETURN_IF_ERROR(
      make_layout(&state_->c, product.wide_result ? names.sum : names.narrow, product.rows, product.columns));
  cublasLtMatmulPreference_t preference = nullptr;
  RETURN_IF_ERROR(ToStatus(lt.preference_create(&preference), "cublasLtMatmulPreferenceCreate"));
  lt.preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &state_->workspace.bytes,
                    sizeof(state_->workspace.bytes));
  cublasLtMatmulHeuristicResult_t results[kMaxAlgorithms] = {};
  int count = 0;
  const cublasStatus_t status =
      lt.get_heuristic(state_->handle, state_->description, state_->a, state_->b, state_->c, state_->c, preference,
                       std::clamp<int>(static_cast<int>(product.trials), 1, kMaxAlgorithms), results, &count);
  lt.preference_destroy(preference);
  RETURN_IF_ERROR(ToStatus(status, "cublasLtMatmulAlgoGetHeuristic"));
  for (int i = 0; i < count; ++i) {
    if (results[i].state == CUBLAS_STATUS_SUCCESS) state_->algorithms.push_back(results[i].algo);
  }
  if (state_->algorithms.empty())
    return absl::UnimplementedError("cuBLASLt has no algorithm for this product on this device");
  return absl::OkStatus();
}

size_t CublasLt::Product::algorithms() const { return state_->algorithms.size(); }

bool CublasLt::Product::Queue(size_t index, const MatrixOperands& operands, cudaStream_t stream) const {
  const double double_one = 1, double_zero = 0;
  const float float_one = 1, float_zero = 0;
  const int32_t int_one = 1, int_zero = 0;
  const void* one = &float_one;
  const void* zero = &float_zero;
  if (state_->product.type == sdk::MatrixType::kFp64) one = &double_one, zero = &double_zero;
  if (state_->product.type == sdk::MatrixType::kInt8) one = &int_one, zero = &int_zero;
  return state_->functions.matmul(state_->handle, state_->description, one, operands.a, state_->a, operands.b,
                                  state_->b, zero, operands.c, state_->c, operands.c, state_->c,
                                  &state_->algorithms[index], state_->workspace.memory, state_->workspace.bytes,
                                  stream) == CUBLAS_STATUS_SUCCESS;
}

absl::StatusOr<std::unique_ptr<CublasLt::Product>> CublasLt::Prepare(const MatrixProduct& wanted,
                                                                     const Workspace& workspace) {
  ASSIGN_OR_RETURN(void* const handle, Handle());
  auto product = std::make_unique<Product>(*functions_, handle, wanted, workspace);
  RETURN_IF_ERROR(product->FindAlgorithms());
  return product;
}

}  // namespace muster::physical
