# tut_embed(target symbol file): links the file's bytes into target as
#   extern const unsigned char SYMBOL[]; extern const unsigned char SYMBOL_end[];
enable_language(ASM)
function(tut_embed target symbol file)
  get_filename_component(path ${file} ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
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
  .section .note.GNU-stack,\"\",%progbits
")
  target_sources(${target} PRIVATE ${out})
  set_source_files_properties(${out} PROPERTIES GENERATED TRUE OBJECT_DEPENDS ${path})
endfunction()
