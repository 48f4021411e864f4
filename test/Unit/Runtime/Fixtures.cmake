# Models for the runtime's tests, made by the C compiler: one source, variants
# by macro, linked like an artefact (no C library, no start files).
function(nestor_runtime_fixture name)
  add_library(nestor-fixture-${name} MODULE
    ${CMAKE_CURRENT_SOURCE_DIR}/Unit/Runtime/Inputs/model.c)
  set_target_properties(nestor-fixture-${name} PROPERTIES
    PREFIX "" SUFFIX ".nst" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test/fixtures)
  target_compile_options(nestor-fixture-${name} PRIVATE
    -ffreestanding -fno-stack-protector -fno-builtin -U_FORTIFY_SOURCE)
  target_compile_definitions(nestor-fixture-${name} PRIVATE ${ARGN})
  target_link_options(nestor-fixture-${name} PRIVATE -nostdlib -nostartfiles)
  add_dependencies(nestor-unit-Runtime nestor-fixture-${name})
endfunction()

nestor_runtime_fixture(good)
nestor_runtime_fixture(wrong-magic MAGIC=0x12345678u)
nestor_runtime_fixture(wrong-abi ABI=99)
nestor_runtime_fixture(no-such-feature FEATURES="avx2000")
nestor_runtime_fixture(constructor CONSTRUCTOR)
nestor_runtime_fixture(bad-output BAD_OUTPUT)
nestor_runtime_fixture(forgets-output FORGET_OUTPUT)
nestor_runtime_fixture(no-weights NO_WEIGHTS)
nestor_runtime_fixture(bad-counts NUM_INPUTS=-5)
