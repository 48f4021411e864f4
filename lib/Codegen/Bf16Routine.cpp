//===- Bf16Routine.cpp - The routine LLVM calls for bf16 ------------------===//
//
// Lowering makes bf16 arithmetic explicit, but LLVM joins bf16 values again
// (phis, selects, vectors made of scalars) and, for CPUs without bf16
// instructions, then rounds through __truncsfbf2, which no artefact can expect
// to find. So a module that holds bf16 values brings its own, hidden; the
// linker keeps one of several.
//
// The result is the low 16 bits of xmm0: an i16 vector is returned there too,
// and its code needs no bf16.
//
// Assumes: runs after the optimiser, which would drop the unused definition.
//
//===----------------------------------------------------------------------===//
#include "Bf16Routine.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

static const Function *userOfBf16(const Module &module) {
  for (const Function &function : module)
    for (const Instruction &instruction : instructions(function)) {
      if (instruction.getType()->getScalarType()->isBFloatTy())
        return &function;
      for (const Value *operand : instruction.operands())
        if (operand->getType()->getScalarType()->isBFloatTy())
          return &function;
    }
  return nullptr;
}

void nestor::defineBf16Routine(Module &module) {
  static constexpr StringLiteral kName = "__truncsfbf2";
  const Function *user = userOfBf16(module);
  if (!user || !module.getTargetTriple().isX86() || module.getFunction(kName))
    return;
  LLVMContext &context = module.getContext();
  IRBuilder<> builder(context);
  auto *vector = FixedVectorType::get(builder.getInt16Ty(), 8);
  Function *routine = Function::Create(
      FunctionType::get(vector, {builder.getFloatTy()}, /*isVarArg=*/false),
      GlobalValue::LinkOnceODRLinkage, kName, module);
  routine->setVisibility(GlobalValue::HiddenVisibility);
  for (StringRef name : {"target-cpu", "target-features"})
    if (user->hasFnAttribute(name))
      routine->addFnAttr(user->getFnAttribute(name));
  builder.SetInsertPoint(BasicBlock::Create(context, "", routine));
  // Round to nearest even; a NaN keeps its top bits, made quiet.
  Value *x = routine->getArg(0);
  Value *bits = builder.CreateBitCast(x, builder.getInt32Ty());
  Value *odd = builder.CreateAnd(builder.CreateLShr(bits, 16), 1);
  Value *rounded =
      builder.CreateAdd(bits, builder.CreateAdd(odd, builder.getInt32(0x7fff)));
  rounded = builder.CreateSelect(builder.CreateFCmpUNO(x, x),
                                 builder.CreateOr(bits, 0x400000), rounded);
  Value *result = builder.CreateTrunc(builder.CreateLShr(rounded, 16),
                                      builder.getInt16Ty());
  builder.CreateRet(builder.CreateInsertElement(PoisonValue::get(vector),
                                                result, uint64_t(0)));
}
