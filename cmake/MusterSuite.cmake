# muster_suite(NAME MANIFEST FILE PROGRAMS TARGET… [FILES FILE…]): one suite's folder.
#
# Puts the programs (executable targets; their OUTPUT_NAME is the file's name), the manifest (as suite.textproto) and FILES
# into libexec/muster/suites/NAME, both in the build tree, where everything runs without an install, and in the installation.

set(MUSTER_SUITES_DIR ${PROJECT_BINARY_DIR}/libexec/muster/suites)
add_custom_target(muster_suites ALL)

function(muster_suite name)
  cmake_parse_arguments(PARSE_ARGV 1 A "" "MANIFEST" "PROGRAMS;FILES")
  if(NOT A_MANIFEST)
    message(FATAL_ERROR "muster_suite(${name}): MANIFEST is missing")
  endif()
  set(built ${MUSTER_SUITES_DIR}/${name})
  set(installed ${CMAKE_INSTALL_LIBEXECDIR}/muster/suites/${name})
  configure_file(${A_MANIFEST} ${built}/suite.textproto COPYONLY)
  install(FILES ${A_MANIFEST} DESTINATION ${installed} RENAME suite.textproto)
  foreach(program IN LISTS A_PROGRAMS)
    set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${built})
    install(TARGETS ${program} RUNTIME DESTINATION ${installed})
    add_dependencies(muster_suites ${program})
  endforeach()
  foreach(file IN LISTS A_FILES)
    get_filename_component(base ${file} NAME)
    configure_file(${file} ${built}/${base} COPYONLY)
    install(FILES ${file} DESTINATION ${installed})
  endforeach()
endfunction()
