//===- Setup.cpp - Constants computed once, at build time -----------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "Setup.h"

#include "Objects.h"

#include "nestor/Codegen/Codegen.h"
#include "nestor/Codegen/Link.h"
#include "nestor/Dialect/Host/Host.h"
#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Lower/Lower.h"
#include "nestor/Runtime/Instance.h"
#include "nestor/Support/Error.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <malloc.h>

using namespace mlir;
using namespace nestor;

static llvm::Error toError(const rt::Status &status) {
  return makeError(static_cast<ErrorKind>(status.code),
                   "constants cannot be prepared: " + status.message);
}

static uint64_t byteSize(MemRefType type) {
  int64_t width =
      std::max<int64_t>(1, type.getElementType().getIntOrFloatBitWidth() / 8);
  return type.getNumElements() * width;
}

static llvm::Error execute(ModuleOp module, func::FuncOp setup,
                           ConstantPool &pool) {
  LowerOptions lower;
  lower.entry = setup.getSymName().str();
  lower.modelName = "setup";
  Target host = Target::host();
  LoweredConstants keys;
  auto objects = makeObjects(module, lower, host, 2, keys);
  if (!objects)
    return objects.takeError();
  auto image = linkShared(*objects, host);
  if (!image)
    return image.takeError();
  objects->clear();
  rt::LoadOptions load;
  // Bytes of a model file are seldom aligned, so the loader copies them before
  // it asks for the next: then the file's pages need not stay.
  std::string last;
  load.resolver = [&](const char *key, uint64_t bytes) -> const void * {
    pool.release(last);
    last = key;
    bool found = false;
    llvm::ArrayRef<uint8_t> data = pool.lookup(key, found);
    return found && data.size() >= bytes ? data.data() : nullptr;
  };
  rt::Program::Ptr program;
  if (rt::Status status = rt::Program::loadBytes(
          reinterpret_cast<const uint8_t *>(image->data()), image->size(), load,
          program);
      !status.ok())
    return toError(status);
  image->clear();
  // What code generation took goes back before the constants take theirs.
  malloc_trim(0);
  std::unique_ptr<rt::Instance> instance;
  if (rt::Status status = rt::Instance::create(program, {}, instance);
      !status.ok())
    return toError(status);
  std::vector<rt::OutputBuffer> outputs;
  for (auto [i, type] : llvm::enumerate(setup.getResultTypes())) {
    auto key = setup.getResultAttrOfType<StringAttr>(i, "host.key");
    uint64_t bytes = byteSize(cast<MemRefType>(type));
    MutableArrayRef<uint8_t> buffer = pool.allocate(key.getValue(), bytes);
    if (buffer.size() != bytes)
      return makeError(ErrorKind::Budget, "out of memory for a constant of " +
                                              std::to_string(bytes) + " bytes");
    // An empty buffer still needs an address.
    outputs.push_back({buffer.data(), bytes});
  }
  rt::Status status = instance->run({}, outputs);
  return status.ok() ? llvm::Error::success() : toError(status);
}

llvm::Error nestor::runSetup(ModuleOp module, ConstantPool &pool) {
  if (auto setup = module.lookupSymbol<func::FuncOp>("setup")) {
    if (setup.getNumResults() > 0)
      if (llvm::Error error = execute(module, setup, pool))
        return error;
    setup.erase();
  }
  llvm::StringMap<bool> live;
  llvm::DenseSet<StringAttr> launched;
  module.walk([&](Operation *op) {
    if (auto constant = dyn_cast<host::ConstantOp>(op))
      live[constant.getKey()] = true;
    if (auto launch = dyn_cast<host::LaunchOp>(op))
      launched.insert(launch.getKernelAttr().getAttr());
  });
  for (auto kernel : llvm::make_early_inc_range(module.getOps<nest::FuncOp>()))
    if (!launched.contains(kernel.getSymNameAttr()))
      kernel.erase();
  pool.retain(live);
  // What @setup took goes back to the system before code generation begins.
  malloc_trim(0);
  return llvm::Error::success();
}
