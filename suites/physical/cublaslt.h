// cuBLASLt, loaded at run time: the programs need it on the test machine alone, in whichever version is there.
#ifndef MUSTER_SUITES_PHYSICAL_CUBLASLT_H_
#define MUSTER_SUITES_PHYSICAL_CUBLASLT_H_

#include <cuda_runtime_api.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "suites/physical/library_search.h"
#include "suites/physical/matrix_engine.h"

namespace muster::physical {

LibraryNames CublasLtNames();

class CublasLt {
 public:
  // NotFound names what was tried.
  static absl::StatusOr<std::unique_ptr<CublasLt>> Load(const std::vector<std::string>& candidates);
  ~CublasLt();
  CublasLt(const CublasLt&) = delete;
  CublasLt& operator=(const CublasLt&) = delete;

  // "13.0.2" and the file it came from.
  std::string version() const;
  const std::string& path() const { return path_; }

  // One kind of product, on the device that was current at Prepare(); other operands at each call.
  class Product;
  struct Workspace {
    void* memory = nullptr;
    size_t bytes = 0;
  };
  // The workspace lives as long as the product.
  absl::StatusOr<std::unique_ptr<Product>> Prepare(const MatrixProduct& product, const Workspace& workspace);

 private:
  struct Functions;
  CublasLt(std::unique_ptr<Functions> functions, std::string path);

  // cuBLASLt's context on the current device.
  absl::StatusOr<void*> Handle();

  std::unique_ptr<Functions> functions_;
  const std::string path_;
  base::Mutex mutex_;
  std::map<int, void*> handles_ ABSL_GUARDED_BY(mutex_);  // By CUDA's number of the device.
};

class CublasLt::Product {
 public:
  Product(const Functions& functions, void* handle, const MatrixProduct& product, const Workspace& workspace);
  ~Product();
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  // How many algorithms the library proposes, likely best first.
  size_t algorithms() const;
  // Queues the product with algorithm `index`; false when the library refuses.
  bool Queue(size_t index, const MatrixOperands& operands, cudaStream_t stream) const;

 private:
  friend class CublasLt;
  absl::Status FindAlgorithms();

  struct State;
  std::unique_ptr<State> state_;
};

// The library that the parameter cublaslt_library names, or the first of the candidates: loaded once for the process,
// which takes longer than many a test. Throws DeviceSkipped when there is none, ToolError when it does not work.
CublasLt& SharedCublasLt();

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_CUBLASLT_H_
