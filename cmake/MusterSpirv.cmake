# Looks for what turns kernels in OpenCL C into SPIR-V; sets MUSTER_SPIRV when all of it is there.
#
# muster_spirv(NAME KERNELS…): every X.kernels.h becomes X.spv in the build folder, the library muster_NAME holds them all
# (suites/physical/spirv_modules.h; none where a tool is missing), and the test NAME_test compiles them anew and asks that every
# kernel of a file is an entry point. Where a tool is missing the test says which, as skipped.

set(MUSTER_SPIRV OFF)
set(MUSTER_SPIRV_MISSING "")
# A pair of one version: llvm-spirv reads the bitcode of its own LLVM.
foreach(_version -14 -15 -16 -17 -18 -19 -20 -21 "")
  find_program(MUSTER_CLANG_CL${_version} clang${_version})
  find_program(MUSTER_LLVM_SPIRV${_version} llvm-spirv${_version})
  mark_as_advanced(MUSTER_CLANG_CL${_version} MUSTER_LLVM_SPIRV${_version})
  if(MUSTER_CLANG_CL${_version} AND MUSTER_LLVM_SPIRV${_version})
    set(MUSTER_OPENCL_CLANG ${MUSTER_CLANG_CL${_version}})
    set(MUSTER_OPENCL_LLVM_SPIRV ${MUSTER_LLVM_SPIRV${_version}})
    break()
  endif()
endforeach()
find_program(MUSTER_SPIRV_VAL spirv-val)
find_program(MUSTER_SPIRV_DIS spirv-dis)
if(NOT MUSTER_OPENCL_LLVM_SPIRV)
  list(APPEND MUSTER_SPIRV_MISSING "clang and llvm-spirv of one version from 14 on")
endif()
if(NOT MUSTER_SPIRV_VAL OR NOT MUSTER_SPIRV_DIS)
  list(APPEND MUSTER_SPIRV_MISSING "spirv-val and spirv-dis")
endif()
if(MUSTER_SPIRV_MISSING)
  list(JOIN MUSTER_SPIRV_MISSING "; " MUSTER_SPIRV_MISSING)
  cmake_language(DEFER DIRECTORY ${PROJECT_SOURCE_DIR} CALL message STATUS
    "muster: built without SPIR-V kernels: not found: ${MUSTER_SPIRV_MISSING}")
else()
  set(MUSTER_SPIRV ON)
endif()

function(muster_spirv name)
  set(script ${PROJECT_SOURCE_DIR}/cmake/CompileSpirv.cmake)
  set(common -D SOURCE_DIR=${PROJECT_SOURCE_DIR} -D CLANG=${MUSTER_OPENCL_CLANG} -D LLVM_SPIRV=${MUSTER_OPENCL_LLVM_SPIRV}
    -D SPIRV_VAL=${MUSTER_SPIRV_VAL} -D SPIRV_DIS=${MUSTER_SPIRV_DIS} "-DMISSING=${MUSTER_SPIRV_MISSING}")
  set(outputs "")
  set(inputs "")
  foreach(file IN LISTS ARGN)
    set(input ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    string(REPLACE ".kernels.h" ".spv" output ${CMAKE_CURRENT_BINARY_DIR}/${file})
    list(APPEND inputs ${input})
    list(APPEND outputs ${output})
    if(MUSTER_SPIRV)
      add_custom_command(OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} ${common} -D INPUTS=${input} -D OUTPUT=${output} -P ${script}
        DEPENDS ${input} ${script} DEPFILE ${output}.d COMMENT "Compiling ${file} to SPIR-V" VERBATIM)
    endif()
  endforeach()
  if(NOT MUSTER_SPIRV)
    set(outputs "")
  endif()
  set(embed ${PROJECT_SOURCE_DIR}/cmake/EmbedSpirv.cmake)
  set(embedded ${CMAKE_CURRENT_BINARY_DIR}/${name}_embedded.cc)
  add_custom_command(OUTPUT ${embedded} COMMAND ${CMAKE_COMMAND} "-DINPUTS=${outputs}" -D OUTPUT=${embedded} -P ${embed}
    DEPENDS ${outputs} ${embed} VERBATIM)
  muster_module(${name} SRCS ${embedded} spirv_modules.cc)
  if(BUILD_TESTING)
    add_test(NAME ${name}_test COMMAND ${CMAKE_COMMAND} ${common} "-DINPUTS=${inputs}"
      -D OUTPUT=${CMAKE_CURRENT_BINARY_DIR}/${name}_test.spv -P ${script})
    set_tests_properties(${name}_test PROPERTIES TIMEOUT 120 SKIP_REGULAR_EXPRESSION "skipped: not found")
  endif()
endfunction()
