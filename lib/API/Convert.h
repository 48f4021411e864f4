//===- Convert.h - Between the faces and what they stand before -*- C++ -*-===//
#ifndef NESTOR_LIB_API_CONVERT_H
#define NESTOR_LIB_API_CONVERT_H

#include "nestor/API/Program.h"
#include "nestor/Runtime/Status.h"
#include "nestor/Support/Error.h"

namespace nestor {

inline Failure toFailure(llvm::Error error) {
  auto [kind, text] = takeError(std::move(error));
  return {static_cast<int>(kind), std::move(text)};
}

inline Failure toFailure(rt::Status status) {
  return {static_cast<int>(status.code), std::move(status.message)};
}

} // namespace nestor

#endif // NESTOR_LIB_API_CONVERT_H
