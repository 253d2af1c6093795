#include "suites/detection/faults.h"

namespace muster::detection {

// A line for each fault; places that the smallest products (128 rows) and memories (16 MiB) have too.
const std::vector<Fault>& Faults() {
  // clang-format off
  static const auto& faults = *new std::vector<Fault>{
    {"driver", "memory.march", "a bit flipped once", R"({"inject":"flip:123456:77"})", {"offset 0x1e2400", "differing bits"}},
    {"driver", "memory.march", "a bit stuck at one", R"({"inject":"stuck1:654321:3"})", {"offset 0x9fbf10"}},
    {"driver", "memory.march", "a bit stuck at zero", R"({"inject":"stuck0:1000000:127"})", {"offset 0xf42400"}},
    {"driver", "memory.march", "an address bit lost", R"({"inject":"alias:1024"})", {"offset 0x"}},
    {"driver", "memory.shared", "a bit of one unit's local memory stuck", R"({"inject_unit":"stuck:2:20:13"})", {"permanent: unit 2 ", "unit 2, group", "has bits 0x2000 wrong"}},
    {"driver", "memory.shared", "the same, once", R"({"inject_unit":"once:2:20:13"})", {"once", "unit 2"}},
    {"driver", "memory.cache_tags", "a cache line of one unit that answers for another", R"({"inject_unit":"stuck:2:7:9"})", {"permanent: unit 2 ", "holds the value of word 7"}},

    {"driver", "compute.golden_bf16", "a bit of one entry", R"({"inject_gemm":"bit:17:101:23"})", {"row 17, column 101: expected"}},
    {"driver", "compute.golden_bf16", "one entry not a number", R"({"inject_gemm":"nan:5:6"})", {"row 5, column 6: expected", "nan"}},
    {"driver", "compute.golden_bf16", "one entry infinite", R"({"inject_gemm":"inf:7:9"})", {"row 7, column 9: expected", "inf"}},
    {"driver", "compute.golden_bf16", "a tile of 16 x 16 not computed", R"({"inject_gemm":"tile:64:32"})", {"row 64, column 3"}},
    {"driver", "compute.golden_bf16", "a bit stuck at one in every product", R"({"inject_gemm":"stuck:127:8:29"})", {"row 127, column 8: expected", "permanent"}},
    {"driver", "compute.golden_bf16", "the write of one entry lost", R"({"inject_gemm":"drop:100:20:1"})", {"row 100, column 20: expected", "once"}},
    {"driver", "compute.golden_fp16", "a bit of one entry", R"({"inject_gemm":"bit:127:0:30"})", {"row 127, column 0: expected"}},
    {"driver", "compute.golden_tf32", "a bit of one entry", R"({"inject_gemm":"bit:17:101:23"})", {"row 17, column 101: expected"}},
    {"driver", "compute.golden_fp32", "a bit of one entry", R"({"inject_gemm":"bit:17:101:23"})", {"row 17, column 101: expected"}},
    {"driver", "compute.golden_fp64", "a bit of one entry", R"({"inject_gemm":"bit:17:101:52"})", {"row 17, column 101: expected"}},
    {"driver", "compute.golden_int8", "the lowest bit of one entry", R"({"inject_gemm":"bit:17:101:0"})", {"row 17, column 101: expected"}},
    {"driver", "compute.golden_fp8", "a bit of one entry", R"({"inject_gemm":"bit:17:101:23"})", {"row 17, column 101: expected"}},
    {"driver", "compute.plain_fp32", "a bit of one entry", R"({"inject_gemm":"bit:17:101:23"})", {"row 17, column 101: expected"}},
    {"driver", "compute.plain_fp32", "the write of one entry lost", R"({"inject_gemm":"drop:100:20:1"})", {"row 100, column 20: expected", "once"}},
    {"driver", "compute.plain_fp64", "a bit of one entry", R"({"inject_gemm":"bit:17:101:52"})", {"row 17, column 101: expected"}},
    {"driver", "compute.plain_int8", "the lowest bit of one entry", R"({"inject_gemm":"bit:17:101:0"})", {"row 17, column 101: expected"}},
    {"driver", "compute.tensor_units", "a multiprocessor that is always wrong", R"({"inject_unit":"stuck:3:70:5"})", {"permanent: unit 3", "lane 70"}},
    {"driver", "compute.tensor_units", "a multiprocessor that is sometimes wrong", R"({"inject_unit":"sometimes:3:6:5"})", {"intermittent: unit 3", "lane 6"}},

    {"benchmark", "gemm.bf16", "a bit of one entry", R"({"inject_gemm":"bit"})", {"wrong entries of 1024 checked", "expected"}},
    {"benchmark", "gemm.fp16", "a bit of one entry", R"({"inject_gemm":"bit"})", {"wrong entries of 1024 checked", "expected"}},
    {"benchmark", "gemm.tf32", "a bit of one entry", R"({"inject_gemm":"bit"})", {"wrong entries of 1024 checked", "expected"}},
    {"benchmark", "gemm.fp32", "a bit of one entry", R"({"inject_gemm":"bit"})", {"wrong entries of 1024 checked", "expected"}},
    {"benchmark", "gemm.fp64", "a bit of one entry", R"({"inject_gemm":"bit"})", {"wrong entries of 1024 checked", "expected"}},
    {"benchmark", "gemm.int8", "a bit of one entry", R"({"inject_gemm":"bit"})", {"wrong entries of 1024 checked", "expected"}},
    {"benchmark", "gemm.fp8", "a bit of one entry", R"({"inject_gemm":"bit"})", {"wrong entries of 1024 checked", "expected"}},

    {"driver", "api.event_order", "a queue that does not wait for another's event", R"({"inject_api":"order:7"})", {"round 7, queue", "it did not wait"}},
    {"driver", "api.small_allocations", "two allocations at one address", R"({"inject_api":"overlap:1024"})", {"allocation 1024 (", "allocation 1023 (", "overlaps"}},
    {"driver", "api.small_allocations", "a flipped bit in one of many allocations", R"({"inject_api":"corrupt:777"})", {"allocation 777 (", "byte 0: expected"}},
    {"driver", "api.out_of_memory", "64 MiB that do not come back", R"({"inject_api":"keep:64"})", {"api.out_of_memory.missing is"}},
    {"driver", "api.leak", "16 MiB of device memory kept", R"({"inject_api":"leak:16"})", {"api.leak.device_memory_lost is"}},
    {"driver", "api.leak", "64 MiB of host memory kept", R"({"inject_api":"leak_host:64"})", {"api.leak.host_memory_grown is"}},
    {"driver", "api.module_file", "a module's file that holds none", R"({"inject_api":"module:1"})", {"the driver refuses a module"}},
    {"driver", "api.launch_errors", "launches that are taken", R"({"inject_api":"accept:1"})", {"a million work items in one group was not refused", "a kernel that there is not was not refused"}},
    {"driver", "api.wait_limit", "a wait that does not know what runs", R"({"inject_api":"short:1"})", {"was said to have ended"}},
    {"driver", "api.killed_process", "a process that is not killed at work", R"({"inject_api":"exit:1"})", {"it ended in order"}, 2},
    {"driver", "api.out_of_bounds", "a wild write without an error", R"({"inject_api":"inside:1"})", {"past its memory to end the process", "it ended in order"}, 2, v1::VENDOR_NVIDIA},

    {"benchmark", "bandwidth.device_copy", "a chunk left out", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"drop:1048576:65536"})", {"from offset 0x100000 to 0x10ffff", "was not written"}},
    {"benchmark", "bandwidth.device_copy", "data shifted by 2097152 bytes", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"shift:2097152"})", {"2097152 bytes further on"}},
    {"benchmark", "bandwidth.device_copy", "a flipped bit", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"flip:123456:77"})", {"from offset 0x1e240 to 0x1e24f", "1 bit of the first differs"}},
    {"benchmark", "bandwidth.device_copy", "halves that changed places", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"swap"})", {"33554432 bytes further on"}},
    {"benchmark", "bandwidth.device_copy", "every transfer made three times", R"({"buffer_mib":64,"repeats":3,"memory_floor":0.5,"inject_transfer":"slow:3"})", {"bandwidth.device_copy.driver.share is", "expected at least"}},

    {"benchmark", "bandwidth.device_write", "a chunk left out", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"drop:1048576:65536"})", {"from offset 0x100000 to 0x10ffff", "was not written"}},
    {"benchmark", "bandwidth.device_write", "data shifted by 2097152 bytes", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"shift:2097152"})", {"2097152 bytes further on"}},
    {"benchmark", "bandwidth.device_write", "a flipped bit", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"flip:123456:77"})", {"from offset 0x1e240 to 0x1e24f", "1 bit of the first differs"}},
    {"benchmark", "bandwidth.device_write", "halves that changed places", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"swap"})", {"33554432 bytes further on"}},
    {"benchmark", "bandwidth.device_write", "every transfer made three times", R"({"buffer_mib":64,"repeats":3,"memory_floor":0.5,"inject_transfer":"slow:3"})", {"bandwidth.device_write.kernel.share is", "expected at least"}},

    {"benchmark", "bandwidth.device_triad", "a chunk left out", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"drop:1048576:65536"})", {"from offset 0x100000 to 0x10ffff", "was not written"}},
    {"benchmark", "bandwidth.device_triad", "operands 4096 bytes further on", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"shift:4096"})", {"from offset 0x0 to 0x3ffffff"}},
    {"benchmark", "bandwidth.device_triad", "a flipped bit", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"flip:123456:77"})", {"from offset 0x1e240 to 0x1e24f", "1 bit of the first differs"}},
    {"benchmark", "bandwidth.device_triad", "every transfer made three times", R"({"buffer_mib":64,"repeats":3,"memory_floor":0.5,"inject_transfer":"slow:3"})", {"bandwidth.device_triad.kernel.share is", "expected at least"}},

    {"benchmark", "bandwidth.device_read", "a chunk left out", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"drop:1048576:65536"})", {"1 of 1024 regions are wrong, the first from offset 0x100000 to 0x10ffff"}},
    {"benchmark", "bandwidth.device_read", "data read 4096 bytes from where they lie", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"shift:4096"})", {"1024 of 1024 regions are wrong"}},
    {"benchmark", "bandwidth.device_read", "a flipped bit", R"({"buffer_mib":64,"repeats":3,"inject_transfer":"flip:123456:77"})", {"from offset 0x1e240 to 0x1e24f", "1 bit of the first differs"}},
    {"benchmark", "bandwidth.device_read", "every transfer made three times", R"({"buffer_mib":64,"repeats":3,"memory_floor":0.5,"inject_transfer":"slow:3"})", {"bandwidth.device_read.kernel.share is", "expected at least"}},

    {"benchmark", "bandwidth.host_to_device", "a chunk left out", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"drop:1048576:65536"})", {"from offset 0x100000 to 0x10ffff", "was not written"}},
    {"benchmark", "bandwidth.host_to_device", "data shifted by 5 bytes", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"shift:5"})", {"5 bytes further on"}},
    {"benchmark", "bandwidth.host_to_device", "a flipped bit", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"flip:123456:77"})", {"from offset 0x1e240 to 0x1e24f", "1 bit of the first differs"}},
    {"benchmark", "bandwidth.host_to_device", "halves that changed places", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"swap"})", {"8388608 bytes further on"}},
    {"benchmark", "bandwidth.host_to_device", "every transfer made three times", R"({"pinned_mib":16,"link_repeats":3,"pci_floor":0.5,"pci_both_floor":0.5,"inject_transfer":"slow:3"})", {"bandwidth.host_to_device.pinned.share is", "expected at least"}},

    {"benchmark", "bandwidth.device_to_host", "a chunk left out", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"drop:1048576:65536"})", {"from offset 0x100000 to 0x10ffff", "was not written"}},
    {"benchmark", "bandwidth.device_to_host", "data shifted by 5 bytes", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"shift:5"})", {"5 bytes further on"}},
    {"benchmark", "bandwidth.device_to_host", "a flipped bit", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"flip:123456:77"})", {"from offset 0x1e240 to 0x1e24f", "1 bit of the first differs"}},
    {"benchmark", "bandwidth.device_to_host", "halves that changed places", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"swap"})", {"8388608 bytes further on"}},
    {"benchmark", "bandwidth.device_to_host", "every transfer made three times", R"({"pinned_mib":16,"link_repeats":3,"pci_floor":0.5,"pci_both_floor":0.5,"inject_transfer":"slow:3"})", {"bandwidth.device_to_host.pinned.share is", "expected at least"}},

    {"benchmark", "bandwidth.host_both", "a chunk left out", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"drop:1048576:65536"})", {"from offset 0x100000 to 0x10ffff", "was not written"}},
    {"benchmark", "bandwidth.host_both", "data shifted by 2097152 bytes", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"shift:2097152"})", {"2097152 bytes further on"}},
    {"benchmark", "bandwidth.host_both", "a flipped bit", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"flip:123456:77"})", {"from offset 0x1e240 to 0x1e24f", "1 bit of the first differs"}},
    {"benchmark", "bandwidth.host_both", "halves that changed places", R"({"pinned_mib":16,"link_repeats":3,"inject_transfer":"swap"})", {"8388608 bytes further on"}},
    {"benchmark", "bandwidth.host_both", "every transfer made three times", R"({"pinned_mib":16,"link_repeats":3,"pci_floor":0.5,"pci_both_floor":0.5,"inject_transfer":"slow:3"})", {"bandwidth.host_both.to_device.share is", "expected at least"}},

    {"benchmark", "latency.launch", "a launch that is lost", R"({"inject_latency":"drop:700"})", {"did not run"}},
    {"benchmark", "latency.launch", "a launch made twice", R"({"inject_latency":"twice:700"})", {"ran once more"}},
    {"benchmark", "latency.graph", "a launch that is lost", R"({"inject_latency":"drop:50"})", {"did not run"}},
    {"benchmark", "latency.graph", "a launch made twice", R"({"inject_latency":"twice:50"})", {"ran once more"}},
    {"benchmark", "latency.event", "a launch that is lost", R"({"inject_latency":"drop:700"})", {"did not run"}},
    {"benchmark", "latency.event", "a launch made twice", R"({"inject_latency":"twice:700"})", {"ran once more"}},
    {"benchmark", "latency.pointer_chase", "a link that leads elsewhere", R"({"inject_chase":"link:7"})", {"link 7 at offset 0x380 leads to 0, expected"}},
    {"benchmark", "latency.pointer_chase", "a nearest cache that holds nothing", R"({"inject_chase":"far"})", {"latency.pointer_chase.l2 is", "expected more than"}},

    {"benchmark", "link.peer_copy", "64 KiB that did not arrive", R"({"link_mib":64,"inject_link":"0:1:drop:1048576:65536"})", {"from GPU 0 to GPU 1", "from offset 0x100000 to 0x10ffff", "what lay there before"}},
    {"benchmark", "link.peer_copy", "data 64 bytes out of place", R"({"link_mib":64,"inject_link":"1:0:shift:64"})", {"from GPU 1 to GPU 0", "belongs at offset 64"}},
    {"benchmark", "link.peer_copy", "data 3 bytes out of place", R"({"link_mib":64,"inject_link":"0:1:shift:3"})", {"from GPU 0 to GPU 1", "belongs at offset 3"}},
    {"benchmark", "link.peer_copy", "a bit flipped once", R"({"link_mib":64,"inject_link":"1:0:flip:4194304:77"})", {"from GPU 1 to GPU 0", "from offset 0x400000 to 0x40000f", "1 bit of the first differs"}},
    {"benchmark", "link.peer_copy", "halves that changed places", R"({"link_mib":64,"inject_link":"0:1:swap"})", {"from GPU 0 to GPU 1", "belongs at offset 33554432"}},
    {"benchmark", "link.peer_copy", "data of another device", R"({"link_mib":64,"inject_link":"0:1:source"})", {"from GPU 0 to GPU 1", "'s memory, where it lies at offset 0"}},
    {"benchmark", "link.all_pairs", "4 KiB that did not arrive", R"({"link_mib":64,"inject_link":"1:0:drop:0:4096"})", {"from GPU 1 to GPU 0", "what lay there before"}},
    {"benchmark", "link.all_pairs", "data of another device", R"({"link_mib":64,"inject_link":"1:0:source"})", {"from GPU 1 to GPU 0", "'s memory, where it lies at offset"}},
    {"benchmark", "link.peer_latency", "a link of the ring that leads astray", R"({"inject_link_chase":"0:1:777"})", {"GPU 0, ring in GPU 1's memory", "link 777 at offset"}},
    {"benchmark", "link.peer_atomics", "an addition that is lost", R"({"inject_atomics":"0:1:99"})", {"in GPU 1's memory", "slot 99"}},
    {"benchmark", "link.all_reduce", "what one device gives left out at a word", R"({"all_reduce_mib":16,"inject_reduce":"lacks:1:777"})", {"word 777 at offset 0xc24", "it lacks what GPU 1 gave"}},
    {"benchmark", "link.all_reduce", "a bit of one device's sum", R"({"all_reduce_mib":16,"inject_reduce":"flip:0:1000:31"})", {"GPU 0, sums of int32", "word 1000 at offset 0xfa0"}},

    {"benchmark", "power.limit", "power reads a fifth too low, clocks held", R"({"inject_stress":"lowpower:20:0"})", {"power.limit.share is", "W of its limit of"}, 2},
    {"benchmark", "stress.steady", "a wrong result in the second slice", R"({"inject_stress":"wrong:1:7:0","stress_seconds":2})", {"wrong result under load", " 7, "}, 2},
    {"benchmark", "stress.steady", "the rate falls by a fifth", R"({"inject_stress":"slow:20:0","stress_seconds":4})", {"stress.steady.rate_kept is", "expected at least"}, 2},
    {"benchmark", "stress.steady", "a fault holds the clocks", R"({"inject_stress":"throttle:0","stress_seconds":2})", {"expected nothing but limits as designed to hold the clocks"}, 2},
    {"benchmark", "stress.pulse", "a wrong result in pulse 33 of 1 kHz on unit 7", R"({"inject_stress":"wrong:33:7:0","pulse_frequencies":"1000","stress_seconds":1})", {"wrong result under load: pulse 33 on ", " 7, lane 0", "tile entry"}, 2},

    // Unit 0: the one that a device without a word for its units has.
    {"driver", "compute.integer", "a stuck bit of a lane of one unit", R"({"inject_unit":"stuck:0:37:21"})", {"permanent", "lane 37, add32", "after 1 step"}},
    {"driver", "compute.integer", "the same in one launch of three", R"({"inject_unit":"sometimes:0:37:21"})", {"intermittent", "lane 37, "}},
    {"driver", "compute.integer", "the same once", R"({"inject_unit":"once:0:37:21"})", {"once, not again", "lane 37, "}},
    {"driver", "compute.float", "the lowest bit of a lane of one unit", R"({"inject_unit":"stuck:0:200:0"})", {"permanent", "lane 200, add_fp32", "after 1 step"}},
    {"driver", "compute.special", "the lowest bit of a lane of one unit", R"({"inject_unit":"stuck:0:31:0"})", {"permanent", "lane 31, sin"}},
    {"driver", "compute.shuffle", "a bit of what a lane of one unit receives", R"({"inject_unit":"stuck:0:255:9"})", {"permanent", "lane 255, shuffle"}},
    {"driver", "compute.reduction", "a bit of a lane's sum on one unit", R"({"inject_unit":"stuck:0:5:31"})", {"permanent", "lane 5, reduce"}},
    {"driver", "compute.atomics", "a bit of what a lane of one unit adds", R"({"inject_unit":"stuck:0:64:3"})", {"permanent", "add32_local"}},
  };
  // clang-format on
  return faults;
}

}  // namespace muster::detection
