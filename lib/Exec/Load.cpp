//===- Load.cpp - Objects to a program that runs, here and now ------------===//
#include "nestor/Exec/Load.h"
#include "nestor/Codegen/Link.h"
#include "nestor/Support/Error.h"

using namespace nestor;

llvm::Error nestor::toError(const rt::Status &status) {
  if (status.ok())
    return llvm::Error::success();
  // The codes are the exit codes on both sides.
  return makeError(static_cast<ErrorKind>(status.code), status.message);
}

llvm::Expected<rt::Program::Ptr>
nestor::load(llvm::ArrayRef<ObjectBytes> objects, const Target &target,
             rt::ConstantResolver resolver) {
  llvm::Expected<ObjectBytes> image = linkShared(objects, target);
  if (!image)
    return image.takeError();
  rt::LoadOptions options;
  options.integrity = rt::Integrity::Structure; // made a moment ago
  options.resolver = std::move(resolver);
  rt::Program::Ptr program;
  rt::Status status =
      rt::Program::loadBytes(reinterpret_cast<const uint8_t *>(image->data()),
                             image->size(), std::move(options), program);
  if (!status.ok())
    return toError(status);
  return program;
}
