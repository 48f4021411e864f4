# Records are executed: as nests by the interpreter, as code by the JIT.
target_link_libraries(${target} PRIVATE NestorInterp NestorLower NestorExec)
