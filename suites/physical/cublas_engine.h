// cuBLASLt as the engine of golden products.
#ifndef MUSTER_SUITES_PHYSICAL_CUBLAS_ENGINE_H_
#define MUSTER_SUITES_PHYSICAL_CUBLAS_ENGINE_H_

#include <memory>
#include <string>

#include "suites/physical/cublaslt.h"
#include "suites/physical/cuda_device.h"
#include "suites/physical/golden_gemm.h"

namespace muster::physical {

class CublasEngine final : public MatrixEngine {
 public:
  // `device` outlives the engine.
  CublasEngine(std::unique_ptr<CublasLt> library, CudaDevice& device);
  ~CublasEngine() override;

  std::string Name() const override;
  // Tries each algorithm that the library proposes and takes the fastest.
  std::string Prepare(sdk::MatrixType type, uint32_t size, void* a, void* b, void* c) override;
  void Multiply() override;

 private:
  const std::unique_ptr<CublasLt> library_;
  CudaDevice& device_;
  void* const workspace_;
  std::unique_ptr<CublasLt::Product> product_;
  size_t algorithm_ = 0;
};

}  // namespace muster::physical

#endif  // MUSTER_SUITES_PHYSICAL_CUBLAS_ENGINE_H_
