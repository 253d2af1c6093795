# Finds what Muster stands on, in Debian 12's and in nixpkgs' versions, and gives each library one name: muster::rpc (gRPC,
# Protobuf, Abseil, OpenSSL, RE2), muster::sqlite, muster::zstd, muster::libevent, muster::prometheus, muster::httplib,
# muster::level_zero_headers.
#
# A program is linked statically but for libc when its target says so (muster_program, property MUSTER_STATIC) and the static
# archives are there, as on Debian; tests use the shared libraries, which link in a fraction of the time.

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(GTest REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(PUGIXML REQUIRED IMPORTED_TARGET pugixml)
pkg_check_modules(LIBEVENT REQUIRED IMPORTED_TARGET libevent_core)
find_program(MUSTER_PROTOC protoc REQUIRED)
find_program(MUSTER_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)

option(MUSTER_STATIC_PROGRAMS "Link the programs statically but for libc, where the archives are there" ON)
set(_muster_archives "")
if(MUSTER_STATIC_PROGRAMS)
  foreach(_name grpc++_reflection grpc++ grpc gpr address_sorting upb protobuf re2 cares ssl crypto z)
    find_library(MUSTER_ARCHIVE_${_name} NAMES lib${_name}.a)
    if(NOT MUSTER_ARCHIVE_${_name})
      message(STATUS "muster: lib${_name}.a is missing, the programs use shared libraries")
      set(MUSTER_STATIC_PROGRAMS OFF)
      break()
    endif()
    list(APPEND _muster_archives ${MUSTER_ARCHIVE_${_name}})
  endforeach()
endif()
if(MUSTER_STATIC_PROGRAMS)
  get_filename_component(_muster_libdir ${MUSTER_ARCHIVE_grpc++} DIRECTORY)
  file(GLOB _muster_absl ${_muster_libdir}/libabsl_*.a)
  list(APPEND _muster_archives ${_muster_absl})
endif()
foreach(_name sqlite3 zstd pugixml event_core)
  find_library(MUSTER_ARCHIVE_${_name} NAMES lib${_name}.a)
endforeach()

# muster_library(NAME SHARED… STATIC…): an interface target that is one or the other, as the program being linked asks.
function(muster_library name)
  cmake_parse_arguments(PARSE_ARGV 1 A "" "" "SHARED;STATIC")
  add_library(muster_${name} INTERFACE)
  add_library(muster::${name} ALIAS muster_${name})
  if(MUSTER_STATIC_PROGRAMS AND A_STATIC AND NOT "${A_STATIC}" MATCHES "NOTFOUND")
    set(static "$<BOOL:$<TARGET_PROPERTY:MUSTER_STATIC>>")
    target_link_libraries(muster_${name} INTERFACE
      "$<${static}:-Wl,--start-group;${A_STATIC};-Wl,--end-group>" "$<$<NOT:${static}>:${A_SHARED}>")
  else()
    target_link_libraries(muster_${name} INTERFACE ${A_SHARED})
  endif()
endfunction()

set(_muster_absl_shared "")
foreach(_name status statusor strings str_format time synchronization flat_hash_map flat_hash_set btree span cord random_random)
  list(APPEND _muster_absl_shared absl::${_name})
endforeach()
muster_library(rpc
  SHARED gRPC::grpc++_reflection gRPC::grpc++ protobuf::libprotobuf ${_muster_absl_shared} OpenSSL::SSL OpenSSL::Crypto PkgConfig::RE2
  STATIC ${_muster_archives} Threads::Threads ${CMAKE_DL_LIBS} m)
muster_library(sqlite SHARED PkgConfig::SQLITE STATIC ${MUSTER_ARCHIVE_sqlite3} m)
muster_library(zstd SHARED PkgConfig::ZSTD STATIC ${MUSTER_ARCHIVE_zstd})
muster_library(zlib SHARED ZLIB::ZLIB STATIC ${MUSTER_ARCHIVE_z})
muster_library(pugixml SHARED PkgConfig::PUGIXML STATIC ${MUSTER_ARCHIVE_pugixml})
muster_library(libevent SHARED PkgConfig::LIBEVENT STATIC ${MUSTER_ARCHIVE_event_core})
# Debian has no archives of these two.
muster_library(prometheus SHARED prometheus-cpp::core)
muster_library(httplib SHARED cpp-httplib)
# Headers alone: the loader is found at run time.
find_path(MUSTER_LEVEL_ZERO_INCLUDE level_zero/zes_api.h REQUIRED)
add_library(muster_level_zero_headers INTERFACE)
add_library(muster::level_zero_headers ALIAS muster_level_zero_headers)
target_include_directories(muster_level_zero_headers SYSTEM INTERFACE ${MUSTER_LEVEL_ZERO_INCLUDE})

foreach(_linker mold lld)
  find_program(MUSTER_LINKER_${_linker} ${_linker})
  if(MUSTER_LINKER_${_linker})
    add_link_options(-fuse-ld=${_linker})
    break()
  endif()
endforeach()
