// cuBLASLt, loaded at run time: the programs need it on the test machine alone, in whichever version is there.
#ifndef MUSTER_SUITES_PHYSICAL_CUBLASLT_H_
#define MUSTER_SUITES_PHYSICAL_CUBLASLT_H_

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "suites/physical/library_search.h"
#include "suites/sdk/peak.h"

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

  // c = a × b for square matrices of `size` in columns; sums in fp32, of fp64 in fp64, of int8 in int32. With
  // `transpose_a` a is kept in rows, as fp8 and int8 want it. The device, the matrices, the workspace and the stream
  // must be the same for as long as the product lives.
  class Product;
  struct Operands {
    const void* a = nullptr;
    const void* b = nullptr;
    void* c = nullptr;
    size_t size = 0;
    sdk::MatrixType type = sdk::MatrixType::kBf16;
    // Entries of c are of the type of the sums, else of a and b's.
    bool wide_result = false;
    bool transpose_a = false;
    void* workspace = nullptr;
    size_t workspace_bytes = 0;
  };
  absl::StatusOr<std::unique_ptr<Product>> Prepare(const Operands& operands);

 private:
  struct Functions;
  CublasLt(std::unique_ptr<Functions> functions, std::string path);

  std::unique_ptr<Functions> functions_;
  const std::string path_;
  void* handle_ = nullptr;
};

class CublasLt::Product {
 public:
  Product(const Functions& functions, void* handle, const Operands& operands);
  ~Product();
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  // How many algorithms the library proposes, likely best first.
  size_t algorithms() const;
  // Queues the product with algorithm `index`; false when the library refuses.
  bool Queue(size_t index, cudaStream_t stream) const;

 private:
  friend class CublasLt;
  absl::Status FindAlgorithms();

  struct State;
  std::unique_ptr<State> state_;
};

// The library that the parameter cublaslt_library names, or the first of the candidates. Throws DeviceSkipped when
// there is none, ToolError when it does not work.
std::unique_ptr<CublasLt> LoadCublasLt();

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_CUBLASLT_H_
