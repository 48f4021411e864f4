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

def SampleOpInterface : OpInterface<"SampleOpInterface"> {
  let description = [{
    A choice: its domain depends on the nest as it is when the choice is made.
  }];
  let cppNamespace = "::nestor::sched";
  let methods = [
    InterfaceMethod<"The recorded decision, if there is one.",
                    "std::optional<::nestor::sched::Numbers>", "getDecided">,
    InterfaceMethod<"Records a decision.", "void", "setDecided",
                    (ins "::llvm::ArrayRef<int64_t>":$decision)>,
    InterfaceMethod<"What kind of choice it is.",
                    "::nestor::sched::Decision::Kind", "getDecisionKind">,
    InterfaceMethod<"All decisions that are legal now.",
                    "::nestor::sched::Outcome", "domain",
                    (ins "::nestor::sched::Invocation &":$at,
                         "::nestor::sched::Domain &":$into)>,
    InterfaceMethod<"A legal decision, drawn.", "::nestor::sched::Outcome",
                    "draw",
                    (ins "::nestor::sched::Invocation &":$at,
                         "::nestor::sched::Random &":$random,
                         "::nestor::sched::Numbers &":$into)>,
    InterfaceMethod<"The legal decision nearest to `decision`; without one, "
                    "the default.", "::nestor::sched::Outcome", "repair",
                    (ins "::nestor::sched::Invocation &":$at,
                         "std::optional<::nestor::sched::Numbers>":$decision,
                         "::nestor::sched::Numbers &":$into)>,
    InterfaceMethod<"The parameters that a decision stands for.",
                    "::nestor::sched::Numbers", "valuesOf",
                    (ins "::llvm::ArrayRef<int64_t>":$decision)>
  ];
}

#endif // NESTOR_LIB_SCHEDULE_PRIMITIVEINTERFACE
