//===- PrimitiveInterface.td - What every primitive answers --*- tablegen -*-=//
//
// One door to a primitive for all callers: Schedule, replay and the Transform
// interpreter differ only in where handles lead (Invocation.h).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_PRIMITIVEINTERFACE
#define NESTOR_LIB_SCHEDULE_PRIMITIVEINTERFACE

include "mlir/IR/OpBase.td"

def PrimitiveOpInterface : OpInterface<"PrimitiveOpInterface"> {
  let description = [{
    A rewrite of a nest, or a question about it, as an operation of a schedule.
  }];
  let cppNamespace = "::nestor::sched";
  let methods = [
    InterfaceMethod<"Calls the primitive on what the operands lead to.",
                    "::nestor::sched::Outcome", "run",
                    (ins "::nestor::sched::Invocation &":$at)>
  ];
}

#endif // NESTOR_LIB_SCHEDULE_PRIMITIVEINTERFACE
