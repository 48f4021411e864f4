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
include "PrimitiveInterface.td"

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

defvar primitiveDefinition = [{
  void $cppClass::getEffects(
      ::llvm::SmallVectorImpl<::mlir::MemoryEffects::EffectInstance> &effects) {
    ::nestor::sched::primitiveEffects(getOperation(), effects);
  }
  ::mlir::DiagnosedSilenceableFailure $cppClass::apply(
      ::mlir::transform::TransformRewriter &rewriter,
      ::mlir::transform::TransformResults &results,
      ::mlir::transform::TransformState &state) {
    return ::nestor::sched::applyPrimitive(*this, rewriter, results, state);
  }
}];

// A primitive: `run` calls its plain function, and everything else is derived.
class PrimitiveOp<string mnemonic, list<Trait> traits = []>
  : Op<Transform_Dialect, "nest." # mnemonic,
       [DeclareOpInterfaceMethods<TransformOpInterface>,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<PrimitiveOpInterface>] # traits> {
  let cppNamespace = "::nestor::sched";
  let extraClassDefinition = primitiveDefinition;
}

// What a primitive knows of blocks that hold a nest (docs/decisions/0007): with
// neither trait there must be none in the nests at hand, or that share buffers.
// With this one they count as blocks like any other; it does not work from
// within one.
def AroundNests : NativeOpTrait<"AroundNests"> {
  let cppNamespace = "::nestor::sched";
}
// With this one it works inside of them as well.
def InsideNests : NativeOpTrait<"InsideNests"> {
  let cppNamespace = "::nestor::sched";
}

// A question about the nest: of no effect, dropped by `simplify` when unused.
def QueryTrait : NativeOpTrait<"Query"> {
  let cppNamespace = "::nestor::sched";
}
class QueryOp<string mnemonic, list<Trait> traits = []>
  : PrimitiveOp<mnemonic, [QueryTrait] # traits>;

// A choice, recorded with its decision.
class SampleOp<string mnemonic>
  : QueryOp<mnemonic, [DeclareOpInterfaceMethods<SampleOpInterface>]>;

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
include "Primitives/Sample.td"
include "Primitives/Reindex.td"
include "Primitives/CacheInplace.td"
include "Primitives/StorageAlign.td"
include "Primitives/RollingBuffer.td"
include "Primitives/FuseEpilogue.td"
include "Primitives/SplitK.td"
include "Primitives/FuseReductions.td"
include "Primitives/Blockize.td"
include "Primitives/Tensorize.td"
include "Primitives/BlockLayout.td"
include "Primitives/PadEinsum.td"
include "Primitives/DecomposePadding.td"
include "Primitives/SkipPadding.td"
include "Primitives/Pipeline.td"
include "Primitives/DoubleBuffer.td"
include "Primitives/Prefetch.td"
include "Primitives/FuseBlocks.td"
include "Primitives/Privatize.td"

#endif // NESTOR_LIB_SCHEDULE_SCHEDULEOPS
