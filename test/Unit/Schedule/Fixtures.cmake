# The examples of the reference page are run before and after.
target_link_libraries(${target} PRIVATE NestorInterp)
