# `cmake --install` gives the headers, the static libraries and the CMake package asyncio_stages.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/asyncio_stages)

install(TARGETS ${libraries} asyncio_asyncio asyncio_observe EXPORT asyncio_stages
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILE_SET rooms DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set_target_properties(asyncio_asyncio PROPERTIES EXPORT_NAME asyncio)
install(EXPORT asyncio_stages
  NAMESPACE asyncio::
  FILE asyncio_stagesTargets.cmake
  DESTINATION ${package_folder})

# asyncio::http has a file of its own, which only find_package(... COMPONENTS http) reads.
if(TARGET asyncio_http)
  install(TARGETS asyncio_http EXPORT asyncio_stages_http
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT asyncio_stages_http
    NAMESPACE asyncio::
    FILE asyncio_stages_httpTargets.cmake
    DESTINATION ${package_folder})
endif()

# asyncio::ssl has one as well: find_package(... COMPONENTS ssl).
if(TARGET asyncio_ssl)
  install(TARGETS asyncio_ssl EXPORT asyncio_stages_ssl
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT asyncio_stages_ssl
    NAMESPACE asyncio::
    FILE asyncio_stages_sslTargets.cmake
    DESTINATION ${package_folder})
endif()

# For gdb: the scripts, and asyncio::gdb, which has them inside.
install(FILES gdb/asyncio-gdb.py DESTINATION ${CMAKE_INSTALL_DATADIR}/asyncio_stages/gdb)
install(DIRECTORY gdb/asyncio_gdb DESTINATION ${CMAKE_INSTALL_DATADIR}/asyncio_stages/gdb FILES_MATCHING PATTERN "*.py")
if(TARGET asyncio_gdb)
  install(TARGETS asyncio_gdb EXPORT asyncio_stages ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()

# For pkg-config: all stages. (asyncio::http and asyncio::ssl are for CMake only.)
set(link_libraries)
foreach(library IN LISTS libraries)
  list(PREPEND link_libraries -l${library})  # the highest first, for the linker
endforeach()
list(JOIN link_libraries " " link_libraries)
file(RELATIVE_PATH includedir_from_libdir ${CMAKE_INSTALL_FULL_LIBDIR} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/asyncio_stages.pc.in asyncio_stages.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/asyncio_stages.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_package_config_file(cmake/asyncio_stagesConfig.cmake.in asyncio_stagesConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(asyncio_stagesConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(
  FILES
    ${CMAKE_CURRENT_BINARY_DIR}/asyncio_stagesConfig.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/asyncio_stagesConfigVersion.cmake
  DESTINATION ${package_folder})
