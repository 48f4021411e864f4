//===- ContextPool.cpp - Contexts that are thrown away in time ------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Schedule/ContextPool.h"

#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

/// A context and the kernel in it.
struct ContextPool::Home {
  std::unique_ptr<MLIRContext> context;
  OwningOpRef<ModuleOp> module;
};

ContextPool::ContextPool(MakeContext makeContext, std::string kernel,
                         unsigned uses)
    : makeContext(std::move(makeContext)), kernel(std::move(kernel)),
      uses(std::max(uses, 1u)) {}

ContextPool::~ContextPool() = default;

Outcome ContextPool::open(Lease &lease) {
  if (!current || used >= uses) {
    auto home = std::make_shared<Home>();
    home->context = makeContext();
    std::string problems;
    ScopedDiagnosticHandler collect(
        home->context.get(), [&](Diagnostic &diagnostic) {
          problems += (problems.empty() ? "" : "; ") + diagnostic.str();
          return success();
        });
    home->module =
        parseSourceString<ModuleOp>(kernel, ParserConfig(home->context.get()));
    if (!home->module)
      return Outcome::refused("the kernel cannot be read: " + problems);
    if (home->module->getOps<nest::FuncOp>().empty())
      return Outcome::refused("the module holds no kernel");
    current = std::move(home);
    used = 0;
    ++contexts;
  }
  ++used;
  lease.home = current;
  lease.module = current->module->clone();
  return Outcome::done();
}

Result<ContextPool::Lease> ContextPool::take() {
  Lease lease;
  if (Outcome outcome = open(lease); !outcome.isDone())
    return outcome;
  lease.schedule =
      std::make_unique<Schedule>(*lease.module->getOps<nest::FuncOp>().begin());
  return lease;
}

Result<ContextPool::Lease> ContextPool::replay(StringRef text,
                                               const ReplayOptions &options) {
  Lease lease;
  if (Outcome outcome = open(lease); !outcome.isDone())
    return outcome;
  Result<std::unique_ptr<Schedule>> done = Schedule::parse(
      text, *lease.module->getOps<nest::FuncOp>().begin(), options);
  if (!done)
    return done.getOutcome();
  lease.schedule = std::move(*done);
  return lease;
}
