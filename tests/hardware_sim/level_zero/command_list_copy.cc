// core: copies and fills. They really move the bytes; a range that leaves its allocation is refused, where a real
// device would fault.
#include <cstring>

#include "tests/hardware_sim/level_zero/command_list.h"
#include "tests/hardware_sim/level_zero/memory.h"

namespace muster::sim::ze {
namespace {

// A box in memory: where its rows lie.
struct Box {
  ze_copy_region_t region;
  uint64_t pitch;
  uint64_t slice_pitch;

  uint64_t OffsetOf(uint32_t y, uint32_t z) const {
    return (uint64_t{region.originZ} + z) * slice_pitch + (uint64_t{region.originY} + y) * pitch + region.originX;
  }
  uint64_t End() const { return OffsetOf(region.height - 1, region.depth - 1) + region.width; }
};

Box MakeBox(const ze_copy_region_t& region, uint32_t pitch, uint32_t slice_pitch) {
  Box box = {region, pitch, slice_pitch};
  if (box.region.depth == 0) box.region.depth = 1;
  return box;
}

}  // namespace

ze_result_t zeCommandListAppendMemoryCopy(ze_command_list_handle_t list, void* to, const void* from, size_t size,
                                          ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
  if (to == nullptr || from == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (!IsUsable(to, size) || !IsUsable(from, size)) return ZE_RESULT_ERROR_INVALID_SIZE;
  return Append(
      list, __func__, [=] { std::memmove(to, from, size); }, signal, count, waits);
}

ze_result_t zeCommandListAppendMemoryFill(ze_command_list_handle_t list, void* to, const void* pattern,
                                          size_t pattern_size, size_t size, ze_event_handle_t signal, uint32_t count,
                                          ze_event_handle_t* waits) {
  if (to == nullptr || pattern == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  const bool power_of_two = pattern_size > 0 && (pattern_size & (pattern_size - 1)) == 0;
  if (!power_of_two || pattern_size > kMaxFillPattern || size % pattern_size != 0) return ZE_RESULT_ERROR_INVALID_SIZE;
  if (!IsUsable(to, size)) return ZE_RESULT_ERROR_INVALID_SIZE;
  // The caller may change the pattern when the call has returned.
  const std::string bytes(static_cast<const char*>(pattern), pattern_size);
  const auto fill = [=] {
    for (size_t at = 0; at < size; at += bytes.size())
      std::memcpy(static_cast<char*>(to) + at, bytes.data(), bytes.size());
  };
  return Append(list, __func__, fill, signal, count, waits);
}

ze_result_t zeCommandListAppendMemoryCopyRegion(ze_command_list_handle_t list, void* to,
                                                const ze_copy_region_t* to_region, uint32_t to_pitch,
                                                uint32_t to_slice_pitch, const void* from,
                                                const ze_copy_region_t* from_region, uint32_t from_pitch,
                                                uint32_t from_slice_pitch, ze_event_handle_t signal, uint32_t count,
                                                ze_event_handle_t* waits) {
  if (to == nullptr || from == nullptr || to_region == nullptr || from_region == nullptr) {
    return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  }
  const Box target = MakeBox(*to_region, to_pitch, to_slice_pitch);
  const Box source = MakeBox(*from_region, from_pitch, from_slice_pitch);
  if (target.region.width == 0 || target.region.height == 0) return ZE_RESULT_ERROR_INVALID_SIZE;
  if (target.region.width != source.region.width || target.region.height != source.region.height ||
      target.region.depth != source.region.depth) {
    return ZE_RESULT_ERROR_INVALID_SIZE;
  }
  if (!IsUsable(to, target.End()) || !IsUsable(from, source.End())) return ZE_RESULT_ERROR_INVALID_SIZE;
  const auto copy = [=] {
    for (uint32_t z = 0; z < target.region.depth; ++z) {
      for (uint32_t y = 0; y < target.region.height; ++y) {
        std::memmove(static_cast<char*>(to) + target.OffsetOf(y, z),
                     static_cast<const char*>(from) + source.OffsetOf(y, z), target.region.width);
      }
    }
  };
  return Append(list, __func__, copy, signal, count, waits);
}

ze_result_t zeCommandListAppendMemoryCopyFromContext(ze_command_list_handle_t list, void* to,
                                                     ze_context_handle_t context, const void* from, size_t size,
                                                     ze_event_handle_t signal, uint32_t count,
                                                     ze_event_handle_t* waits) {
  if (context != nullptr && To<Context>(context) == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  return ze::zeCommandListAppendMemoryCopy(list, to, from, size, signal, count, waits);
}

ze_result_t zeCommandListAppendMemoryPrefetch(ze_command_list_handle_t list, const void* address, size_t size) {
  if (address == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (!IsUsable(address, size)) return ZE_RESULT_ERROR_INVALID_SIZE;
  return Append(list, __func__, nullptr, nullptr, 0, nullptr);
}

ze_result_t zeCommandListAppendMemAdvise(ze_command_list_handle_t list, ze_device_handle_t device, const void* address,
                                         size_t size, ze_memory_advice_t) {
  if (device == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_HANDLE;
  if (address == nullptr) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
  if (!IsUsable(address, size)) return ZE_RESULT_ERROR_INVALID_SIZE;
  return Append(list, __func__, nullptr, nullptr, 0, nullptr);
}

}  // namespace muster::sim::ze
