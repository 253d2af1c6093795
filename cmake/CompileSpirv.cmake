# cmake -D INPUTS=X.kernels.h;… -D OUTPUT=….spv (and the tools, see MusterSpirv.cmake) -P CompileSpirv.cmake: kernels in OpenCL C to
# SPIR-V that OpenCL 2.0 takes; every KERNEL of the text must be an entry point of the result, and only X_fp64.kernels.h may use
# double precision.
#
# LLVM's passes are left out: they make what SPIR-V 1.2 cannot say (freeze instructions, unroll factors), and the device's
# compiler has passes of its own.
if(MISSING)
  message(STATUS "skipped: not found: ${MISSING}")
  return()
endif()

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    file(REMOVE ${OUTPUT})
    message(FATAL_ERROR "${input}:\n${output}\nof: ${ARGV}")
  endif()
endfunction()

foreach(input IN LISTS INPUTS)
  run(${CLANG} -c -target spir64 -cl-std=CL2.0 -O2 -Xclang -disable-llvm-passes -Xclang -finclude-default-header -Wall -Werror
    -emit-llvm -x cl -I ${SOURCE_DIR} -MD -MF ${OUTPUT}.d -MT ${OUTPUT} ${input} -o ${OUTPUT}.bc)
  run(${LLVM_SPIRV} --spirv-max-version=1.2 --spirv-ext=+SPV_INTEL_subgroups ${OUTPUT}.bc -o ${OUTPUT})
  run(${SPIRV_VAL} --target-env opencl2.0 ${OUTPUT})
  run(${SPIRV_DIS} ${OUTPUT} -o ${OUTPUT}.txt)
  file(READ ${OUTPUT}.txt text)
  file(STRINGS ${input} kernels REGEX "^KERNEL [a-z_0-9]+\\(")
  if(NOT kernels)
    message(FATAL_ERROR "${input}: expected lines that begin with KERNEL, found none")
  endif()
  foreach(kernel IN LISTS kernels)
    string(REGEX REPLACE "^KERNEL ([a-z_0-9]+).*" "\\1" kernel "${kernel}")
    if(NOT text MATCHES "OpEntryPoint Kernel %[^ ]+ \"${kernel}\"")
      message(FATAL_ERROR "${input}: ${kernel} is no entry point of ${OUTPUT}")
    endif()
  endforeach()
  if(text MATCHES "OpCapability Float64" AND NOT input MATCHES "_fp64\\.kernels\\.h$")
    message(FATAL_ERROR "${input}: double precision belongs into a file *_fp64.kernels.h: GPUs without it refuse the module")
  endif()
  file(REMOVE ${OUTPUT}.bc ${OUTPUT}.txt)
endforeach()
