//===- ContextPool.h - Contexts that are thrown away in time ----*- C++ -*-===//
//
// An MLIRContext keeps every attribute it has ever seen, and a search makes new
// affine maps with nearly every schedule. A pool hands out copies of one kernel
// and starts a new context after so many of them; an old context goes when the
// last schedule in it does. Between contexts schedules travel as text:
//
//   ContextPool pool(makeContext, kernelText);
//   Result<ContextPool::Lease> lease = pool.take();
//   ... lease->getSchedule().split(...) ...
//   std::string text = lease->getSchedule().print();
//   Result<ContextPool::Lease> later = pool.replay(text);
//
// Assumes that one thread uses it.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SCHEDULE_CONTEXTPOOL_H
#define NESTOR_SCHEDULE_CONTEXTPOOL_H

#include "nestor/Schedule/Schedule.h"

#include "mlir/IR/MLIRContext.h"

#include <functional>

namespace nestor::sched {

class ContextPool {
  struct Home;

public:
  using MakeContext = std::function<std::unique_ptr<mlir::MLIRContext>()>;

  /// `kernel`: a module that holds one nest.func. A context serves `uses`
  /// schedules.
  ContextPool(MakeContext makeContext, std::string kernel,
              unsigned uses = 1000);
  ~ContextPool();

  /// A schedule on a copy of the kernel; keeps its context.
  class Lease {
  public:
    Schedule &getSchedule() { return *schedule; }
    nest::FuncOp getFunc() { return schedule->getFunc(); }

  private:
    friend class ContextPool;
    // Destroyed from the last on.
    std::shared_ptr<Home> home;
    mlir::OwningOpRef<mlir::ModuleOp> module;
    std::unique_ptr<Schedule> schedule;
  };

  /// With an empty schedule.
  Result<Lease> take();
  /// With the schedule of `text`.
  Result<Lease> replay(llvm::StringRef text, const ReplayOptions &options = {});

  /// How many contexts there have been.
  unsigned countContexts() const { return contexts; }

private:
  /// A copy of the kernel, not scheduled yet.
  Outcome open(Lease &lease);

  MakeContext makeContext;
  std::string kernel;
  unsigned uses, used = 0, contexts = 0;
  std::shared_ptr<Home> current;
};

} // namespace nestor::sched

#endif // NESTOR_SCHEDULE_CONTEXTPOOL_H
