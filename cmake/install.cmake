# `cmake --install` gives the headers, the static libraries and the CMake package asyncio_stages.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/asyncio_stages)

install(TARGETS ${libraries} asyncio_asyncio EXPORT asyncio_stages
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set_target_properties(asyncio_asyncio PROPERTIES EXPORT_NAME asyncio)
install(EXPORT asyncio_stages
  NAMESPACE asyncio::
  FILE asyncio_stagesTargets.cmake
  DESTINATION ${package_folder})

# asyncio::http in a file of its own, which is read only by who asks for it: find_package(... COMPONENTS http).
if(TARGET asyncio_http)
  install(TARGETS asyncio_http EXPORT asyncio_stages_http
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(EXPORT asyncio_stages_http
    NAMESPACE asyncio::
    FILE asyncio_stages_httpTargets.cmake
    DESTINATION ${package_folder})
endif()

configure_package_config_file(cmake/asyncio_stagesConfig.cmake.in asyncio_stagesConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(asyncio_stagesConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES
    ${CMAKE_CURRENT_BINARY_DIR}/asyncio_stagesConfig.cmake
    ${CMAKE_CURRENT_BINARY_DIR}/asyncio_stagesConfigVersion.cmake
  DESTINATION ${package_folder})
