//===- ScheduleOps.td - Every primitive as an operation ----*- tablegen -*-===//
//
// One file a primitive (or a small family); this list is where it is added.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_SCHEDULE_SCHEDULEOPS
#define NESTOR_LIB_SCHEDULE_SCHEDULEOPS

include "mlir/Dialect/Transform/IR/TransformDialect.td"
include "mlir/Dialect/Transform/IR/TransformTypes.td"
include "mlir/Dialect/Transform/Interfaces/TransformInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

// A handle to operations of one name; its type never needs to be written.
class NestHandle<string opname>
  : Type<And<[Transform_OperationType.predicate,
              CPred<"::llvm::cast<::mlir::transform::OperationType>($_self)"
                    ".getOperationName() == \"" # opname # "\"">]>,
         "handle to " # opname, "::mlir::transform::OperationType">,
    BuildableType<"::mlir::transform::OperationType::get("
                  "$_builder.getContext(), \"" # opname # "\")">;
def BlockHandle : NestHandle<"nest.block">;
def LoopHandle : NestHandle<"nest.for">;

def IntParam
  : Type<CPred<"::llvm::isa<::mlir::transform::ParamType>($_self)">,
         "integer parameter", "::mlir::transform::ParamType">,
    BuildableType<"::mlir::transform::ParamType::get("
                  "$_builder.getContext(), $_builder.getIntegerType(64))">;

defvar commonDefinition = [{
  void $cppClass::getEffects(
      ::llvm::SmallVectorImpl<::mlir::MemoryEffects::EffectInstance> &effects) {
    ::nestor::sched::primitiveEffects(getOperation(), effects);
  }
}];

class NestTransformOp<string mnemonic, list<Trait> traits = []>
  : Op<Transform_Dialect, "nest." # mnemonic,
       [DeclareOpInterfaceMethods<TransformOpInterface>,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>] # traits> {
  let cppNamespace = "::nestor::sched";
  let extraClassDefinition = commonDefinition;
}

include "Primitives/Query.td"
include "Primitives/QueryMore.td"
include "Primitives/Split.td"
include "Primitives/Fuse.td"
include "Primitives/Reorder.td"
include "Primitives/Unit.td"
include "Primitives/Partition.td"
include "Primitives/LoopPartition.td"
include "Primitives/Merge.td"
include "Primitives/BlockIters.td"
include "Primitives/Kinds.td"
include "Primitives/Bind.td"
include "Primitives/Unannotate.td"
include "Primitives/ComputeAt.td"
include "Primitives/Inline.td"
include "Primitives/Cache.td"
include "Primitives/Compact.td"
include "Primitives/Decompose.td"
include "Primitives/RFactor.td"
include "Primitives/Layout.td"
include "Primitives/Skew.td"
include "Primitives/Reverse.td"
include "Primitives/Shift.td"
include "Primitives/SplitDomain.td"
include "Primitives/Wavefront.td"

#endif // NESTOR_LIB_SCHEDULE_SCHEDULEOPS
