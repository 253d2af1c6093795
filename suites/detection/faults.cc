#include "suites/detection/faults.h"

namespace muster::detection {

// A line for each fault. Sizes are the least that hold the place of the fault.
const std::vector<Fault>& Faults() {
  // clang-format off
  static const auto& faults = *new std::vector<Fault>{
    {"driver", "memory.march", "a bit flipped once", R"({"inject":"flip:123456:77"})", {"offset 0x1e2400", "differing bits"}},
    {"driver", "memory.march", "a bit stuck at one", R"({"inject":"stuck1:654321:3"})", {"offset 0x9fbf10"}},
    {"driver", "memory.march", "a bit stuck at zero", R"({"inject":"stuck0:1000000:127"})", {"offset 0xf42400"}},
    {"driver", "memory.march", "an address bit lost", R"({"inject":"alias:1024"})", {"offset 0x"}},

    {"driver", "compute.golden_bf16", "a bit of one entry", R"({"gemm_size":4096,"inject_gemm":"bit:17:101:23"})", {"row 17, column 101: expected"}},
    {"driver", "compute.golden_bf16", "one entry not a number", R"({"gemm_size":4096,"inject_gemm":"nan:5:6"})", {"row 5, column 6: expected", "nan"}},
    {"driver", "compute.golden_bf16", "one entry infinite", R"({"gemm_size":4096,"inject_gemm":"inf:7:9"})", {"row 7, column 9: expected", "inf"}},
    {"driver", "compute.golden_bf16", "a tile of 16 x 16 not computed", R"({"gemm_size":4096,"inject_gemm":"tile:2048:128"})", {"row 2048, column 1"}},
    {"driver", "compute.golden_fp16", "a bit of one entry", R"({"gemm_size":4096,"inject_gemm":"bit:4095:0:30"})", {"row 4095, column 0: expected"}},
    {"driver", "compute.golden_tf32", "a bit of one entry", R"({"gemm_size":4096,"inject_gemm":"bit:17:101:23"})", {"row 17, column 101: expected"}},
    {"driver", "compute.golden_fp32", "a bit of one entry", R"({"gemm_size":2048,"inject_gemm":"bit:17:101:23"})", {"row 17, column 101: expected"}},
    {"driver", "compute.golden_fp64", "a bit of one entry", R"({"gemm_size":2048,"inject_gemm":"bit:17:101:52"})", {"row 17, column 101: expected"}},
    {"driver", "compute.golden_int8", "the lowest bit of one entry", R"({"gemm_size":4096,"inject_gemm":"bit:17:101:0"})", {"row 17, column 101: expected"}},
    {"driver", "compute.golden_fp8", "a bit of one entry", R"({"gemm_size":4096,"inject_gemm":"bit:17:101:23"})", {"row 17, column 101: expected"}},
  };
  // clang-format on
  return faults;
}

}  // namespace muster::detection
