//===- HostOps.td - What the host does between kernels -----*- tablegen -*-===//
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
  let description = [{
    The host program is one `func.func` over memrefs: `arith` on sizes, `scf`
    control flow, `memref.load` of scalars, and these operators. All buffers are
    contiguous and row-major. It is compiled to native code like the kernels, and
    its first failure ends the run.
  }];
  let dependentDialects = ["mlir::memref::MemRefDialect"];
}

class Host_Op<string mnemonic, list<Trait> traits = []> : Op<Host_Dialect, mnemonic, traits>;

def Host_LaunchOp : Host_Op<"launch", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Runs a kernel to its end.";
  let description = [{
    Buffers and sizes match the kernel's signature (nest.func: buffers first,
    then sizes). `writes` counts how many of the last buffers the kernel
    writes; the others are read only. The status that the kernel returns becomes
    that of the run when it is not 0.

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
  let description = [{
    The bytes stay outside the IR; whoever loads the model provides them. Nobody
    writes into them.

    ```mlir
    %w = host.constant "c0f3a_400" : memref<128x64xf32>
    ```
  }];
  let arguments = (ins StrAttr:$key);
  let results = (outs AnyStaticShapeMemRef:$result);
  let assemblyFormat = "$key attr-dict `:` type($result)";
}

def Host_ViewOp : Host_Op<"view", [Pure]> {
  let summary = "The same bytes under other dims.";
  let description = [{
    `dims` are the dynamic dims of the result, in order. Both types hold the same
    number of elements. No data moves.

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
  let description = [{
    `dims` are the dynamic dims of the type, in order. Planning turns it into a
    slice of the arena, or into scratch memory when its size depends on data. One
    that was never planned is scratch.

    ```mlir
    %t = host.alloc [%n] : memref<?x64xf32>
    ```
  }];
  let arguments = (ins Variadic<Index>:$dims);
  let results = (outs Res<AnyMemRef, "", [MemAlloc]>:$result);
  let assemblyFormat = "(`[` $dims^ `]`)? attr-dict `:` type($result)";
}

def Host_ArenaOp : Host_Op<"arena"> {
  let summary = "The planned arena of this run, of `size` bytes.";
  let description = [{
    At most one a run, asked for before any slice of it. No memory for it ends the
    run with status 7.

    ```mlir
    %a = host.arena %bytes : memref<?xi8>
    ```
  }];
  let arguments = (ins Index:$size);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$size attr-dict `:` type($result)";
}

def Host_SliceOp : Host_Op<"slice", [Pure]> {
  let summary = "A buffer at a byte offset of the arena.";
  let description = [{
    `dims` are the dynamic dims of the result, in order. Slices whose lives overlap
    share no bytes: the memory plan saw to it.

    ```mlir
    %t = host.slice %a at %offset [%n] : memref<?xi8> to memref<?x64xf32>
    ```
  }];
  let arguments = (ins AnyMemRef:$arena, Index:$offset, Variadic<Index>:$dims);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = [{
    $arena `at` $offset (`[` $dims^ `]`)? attr-dict `:` type($arena) `to` type($result)
  }];
}

def Host_ScratchOp : Host_Op<"scratch"> {
  let summary = "A buffer whose size depends on data; lives until the run ends.";
  let description = [{
    `dims` are the dynamic dims of the type, in order. No memory for it ends the run
    with status 7.

    ```mlir
    %found = host.scratch [%count] : memref<2x?xi64>
    ```
  }];
  let arguments = (ins Variadic<Index>:$dims);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "(`[` $dims^ `]`)? attr-dict `:` type($result)";
}

def Host_OutputOp : Host_Op<"output"> {
  let summary = "The caller's buffer for output `index`, with these dims.";
  let description = [{
    `dims` are the dynamic dims of the type, in order: the caller learns them here.
    Asked for once an output.

    ```mlir
    %y = host.output 0 [%n] : memref<?x10xf32>
    ```
  }];
  let arguments = (ins I64Attr:$index, Variadic<Index>:$dims);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "$index (`[` $dims^ `]`)? attr-dict `:` type($result)";
}

def Host_CopyOp : Host_Op<"copy"> {
  let summary = "Copies all bytes of one buffer into another of the same dims.";
  let description = [{
    For values that are an output as they are: a kernel could do no better.

    ```mlir
    host.copy %x to %y : memref<?x10xf32> to memref<?x10xf32>
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$source, Arg<AnyMemRef, "", [MemWrite]>:$target);
  let assemblyFormat = "$source `to` $target attr-dict `:` type($source) `to` type($target)";
}

def Host_CheckOp : Host_Op<"check"> {
  let summary = "Ends the run with status 8 and a message when the condition is false.";
  let description = [{
    The message reaches the caller through the service `fail`; nothing after the
    check is carried out.

    ```mlir
    host.check %same, "Add node 'sum': dims 3 and 4 do not broadcast"
    ```
  }];
  let arguments = (ins I1:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `,` $message attr-dict";
}

#endif // NESTOR_DIALECT_HOST_HOSTOPS
