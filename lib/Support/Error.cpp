//===- Error.cpp - Errors that people see ---------------------------------===//
//
// The out-of-line parts of NestorError; see the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Support/Error.h"

using namespace nestor;

char NestorError::ID = 0;

llvm::Error nestor::makeError(ErrorKind kind, const llvm::Twine &message) {
  return llvm::make_error<NestorError>(kind, message.str());
}

std::pair<ErrorKind, std::string> nestor::takeError(llvm::Error error) {
  std::pair<ErrorKind, std::string> result(ErrorKind::Internal, "");
  llvm::handleAllErrors(std::move(error), [&](const llvm::ErrorInfoBase &info) {
    // A list of errors keeps the first kind and all the texts.
    if (!result.second.empty())
      result.second += '\n';
    else if (info.isA<NestorError>())
      result.first = static_cast<const NestorError &>(info).getKind();
    result.second += info.message();
  });
  return result;
}
