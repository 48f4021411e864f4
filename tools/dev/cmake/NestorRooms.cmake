# nestor_room(NAME): one static library a room, its sources globbed from the
# folder, its links read from tools/dev/layers.txt (the single truth).

# The one door to MLIR and LLVM: the shared libraries, never an archive
# (two copies of MLIR in one process break type ids; a test greps link lines).
add_library(nestor_mlir INTERFACE)
target_link_libraries(nestor_mlir INTERFACE MLIR LLVM)
target_compile_options(nestor_mlir INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)

# What reads hostile bytes is also built under sanitizers, which turn a wild read
# or an overflow into an exit code of its own.
set(NESTOR_SANITIZED_ROOMS Support Import Runtime)
set(NESTOR_SANITIZERS -fsanitize=address,undefined -fno-sanitize=vptr,function
  -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
set(NESTOR_ROOMS_WITHOUT_LLVM Runtime)
# The runtime throws and catches inside itself. Import's wire reader (protozero)
# does too, but only those units: lib/Import/CMakeLists.txt names them.
set(NESTOR_ROOMS_WITH_EXCEPTIONS Runtime)

file(STRINGS ${CMAKE_SOURCE_DIR}/tools/dev/layers.txt NESTOR_LAYER_LINES REGEX "^[A-Z][A-Za-z/]*:")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/dev/layers.txt)

function(nestor_room_target room out)
  string(REPLACE "Dialect/" "" short ${room})
  set(${out} Nestor${short} PARENT_SCOPE)
endfunction()

function(nestor_room room)
  nestor_room_target(${room} target)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    # A room whose code is still to come: a library needs one source.
    file(WRITE ${CMAKE_BINARY_DIR}/empty/${target}.cpp "")
    set(sources ${CMAKE_BINARY_DIR}/empty/${target}.cpp)
  endif()
  add_library(${target} STATIC ${sources})
  foreach(line IN LISTS NESTOR_LAYER_LINES)
    if(line MATCHES "^${room}:(.*)$")
      string(STRIP "${CMAKE_MATCH_1}" deps)
      separate_arguments(deps)
      foreach(dep IN LISTS deps)
        nestor_room_target(${dep} dep_target)
        target_link_libraries(${target} PUBLIC ${dep_target})
      endforeach()
    endif()
  endforeach()
  nestor_room_flags(${target} ${room} nestor_pch)
  if(NESTOR_BUILD_TESTS AND room IN_LIST NESTOR_SANITIZED_ROOMS)
    # The same sources once more, for nestor-sanitized (test/hostile).
    add_library(${target}-sanitized OBJECT EXCLUDE_FROM_ALL ${sources})
    target_compile_options(${target}-sanitized PRIVATE ${NESTOR_SANITIZERS})
    nestor_room_flags(${target}-sanitized ${room} nestor_pch_sanitized)
  endif()
endfunction()

# How a room's units are compiled, by whether it knows LLVM and may throw.
function(nestor_room_flags target room pch)
  if(room IN_LIST NESTOR_ROOMS_WITHOUT_LLVM)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
  else()
    target_link_libraries(${target} PUBLIC nestor_mlir fmt::fmt-header-only)
    if(TARGET nestor-headers)
      add_dependencies(${target} nestor-headers)
    endif()
  endif()
  if(room IN_LIST NESTOR_ROOMS_WITH_EXCEPTIONS)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fexceptions>)
  elseif(NOT room IN_LIST NESTOR_ROOMS_WITHOUT_LLVM)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
    target_precompile_headers(${target} REUSE_FROM ${pch})
  endif()
endfunction()

# One precompiled header for all MLIR-heavy units (a unit costs 5-9 s without),
# and one more for the sanitized ones: flags must agree.
function(nestor_make_pch)
  file(WRITE ${CMAKE_BINARY_DIR}/pch/pch.cpp "// Carries the precompiled header.\n")
  foreach(pch nestor_pch nestor_pch_sanitized)
    add_library(${pch} STATIC EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/pch/pch.cpp)
    target_link_libraries(${pch} PUBLIC nestor_mlir fmt::fmt-header-only)
    target_compile_options(${pch} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
    target_precompile_headers(${pch} PRIVATE ${CMAKE_SOURCE_DIR}/lib/Precompiled.h)
  endforeach()
  target_compile_options(nestor_pch_sanitized PRIVATE ${NESTOR_SANITIZERS})
endfunction()
