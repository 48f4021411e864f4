# Tiles are read as assembly.
target_link_libraries(${target} PRIVATE NestorLower NestorCodegen)
