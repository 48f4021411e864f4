//===- Status.cpp - Texts of failed statuses ------------------------------===//

#include "nestor/Runtime/Status.h"

#include <cstdio>

namespace nestor::rt {

Status fail(Code code, const char *format, ...) {
  // The stack buffer keeps this working when memory is short.
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  Status status;
  status.code = code;
  try {
    status.message = text;
  } catch (...) {
    // The code alone still says what matters.
  }
  return status;
}

} // namespace nestor::rt
