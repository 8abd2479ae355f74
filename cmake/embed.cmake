# tut_embed(target symbol file): links the file's bytes into target as
#   extern const unsigned char SYMBOL[]; extern const unsigned char SYMBOL_end[];
# and the SHA-256 that they had when the program was built, against which they are checked when read:
#   extern const unsigned char SYMBOL_sha256[32];
enable_language(ASM)
function(tut_embed target symbol file)
  get_filename_component(path ${file} ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  file(SHA256 ${path} hex)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" ", 0x\\1" bytes ${hex})
  string(SUBSTRING "${bytes}" 2 -1 bytes)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embed_${symbol}.S)
  file(GENERATE OUTPUT ${out} CONTENT "
  .section .rodata
  .balign 16
  .global ${symbol}
  .global ${symbol}_end
${symbol}:
  .incbin \"${path}\"
${symbol}_end:
  .byte 0
  .balign 16
  .global ${symbol}_sha256
${symbol}_sha256:
  .byte ${bytes}
  .section .note.GNU-stack,\"\",%progbits
")
  target_sources(${target} PRIVATE ${out})
  set_source_files_properties(${out} PROPERTIES GENERATED TRUE OBJECT_DEPENDS ${path})
endfunction()
