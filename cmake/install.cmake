include(GNUInstallDirs)
install(TARGETS tutela RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS libtutela LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tutela DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
# Finds its prefix from where it lies, so that the prefix may be chosen when installing.
file(RELATIVE_PATH TUTELA_PC_UP /p/${CMAKE_INSTALL_LIBDIR}/pkgconfig /p)
configure_file(${PROJECT_SOURCE_DIR}/cmake/tutela.pc.in ${PROJECT_BINARY_DIR}/tutela.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tutela.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
# Where the program looks for it: ../lib/tutela beside its own folder.
if(TARGET ngx_http_tutela_module)
  install(TARGETS ngx_http_tutela_module LIBRARY DESTINATION lib/tutela)
endif()
