//===- HostOps.td - What the host does between kernels ----------*- tablegen -*-===//
//
// The host program is one func.func over memrefs: arith on sizes, scf control
// flow, memref.load of scalars, and these operators. All buffers are contiguous
// and row-major. It is compiled to native code like the kernels.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_DIALECT_HOST_HOSTOPS
#define NESTOR_DIALECT_HOST_HOSTOPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

def Host_Dialect : Dialect {
  let name = "host";
  let cppNamespace = "::nestor::host";
  let summary = "What the host does between kernels.";
  let dependentDialects = ["mlir::memref::MemRefDialect"];
}

class Host_Op<string mnemonic, list<Trait> traits = []> : Op<Host_Dialect, mnemonic, traits>;

def Host_LaunchOp : Host_Op<"launch", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Runs a kernel to its end.";
  let description = [{
    Buffers and sizes match the kernel's signature (nest.func: buffers first,
    then sizes). `writes` counts how many of the last buffers the kernel
    writes; the others are read only.
    ```mlir
    host.launch @matmul_0 (%a, %b, %c) sizes(%n) writes 1
      : memref<?x64xf32>, memref<64x8xf32>, memref<?x8xf32>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyMemRef>:$buffers,
                       Variadic<Index>:$sizes, I64Attr:$writes);
  let assemblyFormat = [{
    $kernel `(` $buffers `)` (`sizes` `(` $sizes^ `)`)? `writes` $writes attr-dict `:` type($buffers)
  }];
  let extraClassDeclaration = [{
    mlir::OperandRange getReadBuffers() { return getBuffers().drop_back(getWrites()); }
    mlir::OperandRange getWrittenBuffers() { return getBuffers().take_back(getWrites()); }
  }];
}

def Host_ConstantOp : Host_Op<"constant", [Pure]> {
  let summary = "A constant buffer named by its key in the ConstantPool.";
  let arguments = (ins StrAttr:$key);
  let results = (outs AnyStaticShapeMemRef:$result);
  let assemblyFormat = "$key attr-dict `:` type($result)";
}

def Host_ViewOp : Host_Op<"view", [Pure]> {
  let summary = "The same bytes under other dims.";
  let description = [{
    `dims` are the dynamic dims of the result, in order.
    ```mlir
    %b = host.view %a [%n] : memref<?x4x4xf32> to memref<?x16xf32>
    ```
  }];
  let arguments = (ins AnyMemRef:$source, Variadic<Index>:$dims);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$source (`[` $dims^ `]`)? attr-dict `:` type($source) `to` type($result)";
}

def Host_AllocOp : Host_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "A buffer of the run; the memory plan decides where it lives.";
  let arguments = (ins Variadic<Index>:$dims);
  let results = (outs Res<AnyMemRef, "", [MemAlloc]>:$result);
  let assemblyFormat = "(`[` $dims^ `]`)? attr-dict `:` type($result)";
}

def Host_ArenaOp : Host_Op<"arena"> {
  let summary = "The planned arena of this run, of `size` bytes.";
  let arguments = (ins Index:$size);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$size attr-dict `:` type($result)";
}

def Host_SliceOp : Host_Op<"slice", [Pure]> {
  let summary = "A buffer at a byte offset of the arena.";
  let arguments = (ins AnyMemRef:$arena, Index:$offset, Variadic<Index>:$dims);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = [{
    $arena `at` $offset (`[` $dims^ `]`)? attr-dict `:` type($arena) `to` type($result)
  }];
}

def Host_ScratchOp : Host_Op<"scratch"> {
  let summary = "A buffer whose size depends on data; lives until the run ends.";
  let arguments = (ins Variadic<Index>:$dims);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "(`[` $dims^ `]`)? attr-dict `:` type($result)";
}

def Host_OutputOp : Host_Op<"output"> {
  let summary = "The caller's buffer for output `index`, with these dims.";
  let arguments = (ins I64Attr:$index, Variadic<Index>:$dims);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$index (`[` $dims^ `]`)? attr-dict `:` type($result)";
}

def Host_CopyOp : Host_Op<"copy"> {
  let summary = "Copies all bytes of one buffer into another of the same dims.";
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$source, Arg<AnyMemRef, "", [MemWrite]>:$target);
  let assemblyFormat = "$source `to` $target attr-dict `:` type($source) `to` type($target)";
}

def Host_CheckOp : Host_Op<"check"> {
  let summary = "Ends the run with status 8 and a message when the condition is false.";
  let arguments = (ins I1:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `,` $message attr-dict";
}

#endif // NESTOR_DIALECT_HOST_HOSTOPS
