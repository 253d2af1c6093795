// Every kernel of this folder, and its list: PHYSICAL_KERNELS(M) gives M(name), for each.
#ifndef MUSTER_SUITES_PHYSICAL_ALL_KERNELS_H_
#define MUSTER_SUITES_PHYSICAL_ALL_KERNELS_H_

#include "suites/physical/all_reduce.kernels.h"
#include "suites/physical/api.kernels.h"
#include "suites/physical/golden_gemm.kernels.h"
#include "suites/physical/golden_gemm_fp64.kernels.h"
#include "suites/physical/march.kernels.h"
#include "suites/physical/peer_atomics.kernels.h"
#include "suites/physical/plain_gemm.kernels.h"
#include "suites/physical/plain_gemm_fp64.kernels.h"
#include "suites/physical/random_gemm.kernels.h"
#include "suites/physical/random_gemm_fp64.kernels.h"
#include "suites/physical/stream.kernels.h"
#include "suites/physical/stress.kernels.h"
#include "suites/physical/unit_atomics.kernels.h"
#include "suites/physical/unit_exchange.kernels.h"
#include "suites/physical/unit_float.kernels.h"
#include "suites/physical/unit_float_fp64.kernels.h"
#include "suites/physical/unit_integer.kernels.h"
#include "suites/physical/unit_memory.kernels.h"
#include "suites/physical/unit_special.kernels.h"
#include "suites/physical/unit_special_fp64.kernels.h"

// clang-format off
#define PHYSICAL_KERNELS(M) \
  M(march_write), M(march_verify), M(march_verify_write), M(march_mirror), M(march_inject), \
  M(golden_fill), M(golden_weights), M(golden_weigh_b), M(golden_expect_rows), M(golden_weigh_c), M(golden_weigh_c_fp64), M(golden_compare), \
  M(golden_locate), M(golden_locate_fp64), M(golden_inject), \
  M(plain_multiply), M(plain_multiply_int8), M(plain_multiply_fp64), M(random_fill), M(random_fill_fp64), \
  M(api_step), M(api_stray), \
  M(stress_pulses), \
  M(unit_integer), M(unit_float), M(unit_float_division), M(unit_double), M(unit_shared_memory), M(unit_cache_tags), \
  M(stream_copy), M(stream_read), M(stream_expect), M(stream_triad_fill), M(stream_triad), M(stream_triad_verify), \
  M(chase_fill), M(chase), M(tick), M(tick_in_turn), \
  M(reduce_fill), M(reduce_verify), M(reduce_add), M(peer_count), \
  M(unit_shuffle), M(unit_reduction), M(unit_atomics), M(unit_atomics64), M(unit_special), M(unit_special_table), M(unit_special_fp64), M(unit_special_table_fp64)
// clang-format on

#endif  // MUSTER_SUITES_PHYSICAL_ALL_KERNELS_H_
