# Looks for the CUDA toolkit; sets MUSTER_CUDA, and when it is there enables the language.
#
# Code is made for every architecture that the toolkit's compiler knows from sm_75 on, and PTX of the newest for the GPUs that come
# after it; -DMUSTER_CUDA_ARCHITECTURES=90 builds for one alone, faster. The CUDA runtime is linked statically, so that a program
# needs nothing of CUDA but the driver. -DMUSTER_CUDA=OFF leaves CUDA out.
#
# muster_cuda_module(NAME SRCS… DEPS…): a library with .cu files; everything else that only includes cuda_runtime.h is plain C++.
# muster_cuda_fatbin(OUTPUT SOURCE DEPENDS…): the kernels of one .cu file as a fat binary for the same architectures.

include(CheckLanguage)
option(MUSTER_CUDA "Build the CUDA programs, when the toolkit is there" ON)
set(MUSTER_CUDA_ARCHITECTURES "" CACHE STRING "CUDA architectures, as CMAKE_CUDA_ARCHITECTURES; empty: all from 75 on")

if(MUSTER_CUDA)
  # CMake tries the compiler out with the first architecture that it is told.
  set(CMAKE_CUDA_ARCHITECTURES 75)
  check_language(CUDA)
  find_package(CUDAToolkit QUIET)
  if(NOT CMAKE_CUDA_COMPILER OR NOT TARGET CUDA::cudart_static OR NOT EXISTS ${CUDAToolkit_INCLUDE_DIRS}/cublasLt.h)
    set(MUSTER_CUDA OFF)
  endif()
endif()
if(NOT MUSTER_CUDA)
  message(STATUS "muster: no CUDA toolkit (nvcc, static runtime, cublasLt.h): left out: what runs on NVIDIA GPUs")
  cmake_language(DEFER DIRECTORY ${PROJECT_SOURCE_DIR} CALL message STATUS
    "muster: built without CUDA: cases on NVIDIA GPUs are skipped")
  return()
endif()

if(CMAKE_CXX_COMPILER_LAUNCHER AND NOT DEFINED CMAKE_CUDA_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
enable_language(CUDA)
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)

if(MUSTER_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES ${MUSTER_CUDA_ARCHITECTURES})
else()
  execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-code OUTPUT_VARIABLE _codes COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "sm_[0-9]+" _codes "${_codes}")
  list(TRANSFORM _codes REPLACE "sm_" "")
  list(SORT _codes COMPARE NATURAL)
  set(CMAKE_CUDA_ARCHITECTURES "")
  foreach(_code IN LISTS _codes)
    if(_code GREATER_EQUAL 75)
      list(APPEND CMAKE_CUDA_ARCHITECTURES ${_code}-real)
      set(_newest ${_code})
    endif()
  endforeach()
  list(APPEND CMAKE_CUDA_ARCHITECTURES ${_newest}-virtual)
endif()
message(STATUS "muster: CUDA ${CUDAToolkit_VERSION}, architectures ${CMAKE_CUDA_ARCHITECTURES}")

function(muster_cuda_module name)
  cmake_parse_arguments(PARSE_ARGV 1 A "" "" "SRCS;DEPS")
  add_library(muster_${name} STATIC ${A_SRCS})
  add_library(muster::${name} ALIAS muster_${name})
  target_include_directories(muster_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  # The host linker links: there is no separable device code.
  set_target_properties(muster_${name} PROPERTIES CUDA_RUNTIME_LIBRARY Static LINKER_LANGUAGE CXX)
  target_compile_options(muster_${name} PRIVATE "$<$<COMPILE_LANGUAGE:CUDA>:--compress-mode=size;-Xcompiler=-Wall>")
  target_link_libraries(muster_${name} PUBLIC ${A_DEPS} CUDA::cudart_static)
endfunction()

function(muster_cuda_fatbin output source)
  set(codes "")
  foreach(architecture IN LISTS CMAKE_CUDA_ARCHITECTURES)
    string(REGEX REPLACE "-.*" "" number ${architecture})
    set(code "sm_${number},compute_${number}")
    if(architecture MATCHES "-real$")
      set(code "sm_${number}")
    elseif(architecture MATCHES "-virtual$")
      set(code "compute_${number}")
    endif()
    list(APPEND codes "-gencode=arch=compute_${number},code=[${code}]")
  endforeach()
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_CUDA_COMPILER} -fatbin ${codes} --compress-mode=size -std=c++17 -I${PROJECT_SOURCE_DIR}
      -o ${output} ${source}
    DEPENDS ${source} ${ARGN} COMMENT "Compiling ${source} to a fat binary" VERBATIM)
endfunction()
