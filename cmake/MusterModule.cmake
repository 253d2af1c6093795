# muster_module(NAME SRCS… DEPS… TESTS… FAKES…): the library of one folder and its unit tests.
#
# NAME is FOLDER_PART, e.g. agent_outbox; the target is muster_NAME, its alias muster::NAME. Sources are explicit. Each file of
# TESTS becomes a test of its own, linked with the module and GoogleTest; TEST_DEPS are for the tests alone.

add_library(muster_options INTERFACE)
# C++ alone: nvcc has options of its own by these names.
target_compile_options(muster_options INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wno-unused-parameter;-Wno-missing-field-initializers;-Werror=return-type>")
# GCC 12 sees overlapping copies in ordinary std::string assignments (its bug 105651).
target_compile_options(muster_options INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>)
target_include_directories(muster_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/proto)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(muster_options INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-Wthread-safety;-Werror=thread-safety>")
endif()
set(MUSTER_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread")
if(MUSTER_SANITIZE)
  add_compile_options(-fsanitize=${MUSTER_SANITIZE} -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${MUSTER_SANITIZE})
  # Under gcc's thread sanitizer protobuf's headers lay out map fields otherwise than the system's libprotobuf was built with:
  # every google.protobuf.Struct would be read as garbage.
  if(MUSTER_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-U__SANITIZE_THREAD__)
  endif()
endif()
option(MUSTER_WERROR "Warnings are errors" ON)
if(MUSTER_WERROR)
  target_compile_options(muster_options INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-Werror>")
endif()

function(muster_module name)
  cmake_parse_arguments(PARSE_ARGV 1 A "" "" "SRCS;DEPS;TESTS;TEST_DEPS")
  if(A_SRCS)
    add_library(muster_${name} STATIC ${A_SRCS})
    target_link_libraries(muster_${name} PUBLIC muster_options ${A_DEPS})
  else()
    add_library(muster_${name} INTERFACE)
    target_link_libraries(muster_${name} INTERFACE muster_options ${A_DEPS})
  endif()
  add_library(muster::${name} ALIAS muster_${name})
  foreach(test IN LISTS A_TESTS)
    get_filename_component(stem ${test} NAME_WE)
    muster_test(${name}_${stem} SRCS ${test} DEPS muster_${name} ${A_TEST_DEPS})
  endforeach()
endfunction()

# muster_test(NAME SRCS… DEPS… [TIMEOUT s]): one GoogleTest program that ctest runs.
function(muster_test name)
  cmake_parse_arguments(PARSE_ARGV 1 A "" "TIMEOUT" "SRCS;DEPS")
  if(NOT BUILD_TESTING)
    return()
  endif()
  add_executable(${name} ${A_SRCS})
  target_link_libraries(${name} PRIVATE muster_options ${A_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${A_TIMEOUT})
endfunction()

# muster_program(NAME SRCS… DEPS… [SHARED_CXX_RUNTIME]): one installed program, static where the archives are there; with
# SHARED_CXX_RUNTIME all but libstdc++, for a program that also uses shared C++ libraries.
function(muster_program name)
  cmake_parse_arguments(PARSE_ARGV 1 A "SHARED_CXX_RUNTIME" "DESTINATION" "SRCS;DEPS")
  if(NOT A_DESTINATION)
    set(A_DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
  add_executable(${name} ${A_SRCS})
  target_link_libraries(${name} PRIVATE muster_options ${A_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  if(MUSTER_STATIC_PROGRAMS AND NOT MUSTER_SANITIZE)
    set_target_properties(${name} PROPERTIES MUSTER_STATIC ON)
    if(NOT A_SHARED_CXX_RUNTIME)
      target_link_options(${name} PRIVATE -static-libgcc -static-libstdc++)
    endif()
    target_link_options(${name} PRIVATE -Wl,--gc-sections)
  endif()
  install(TARGETS ${name} RUNTIME DESTINATION ${A_DESTINATION})
endfunction()
