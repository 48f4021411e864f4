//===- DeviceOps.td - Tensor instructions, typed -----------*- tablegen -*-===//
//
// What a CPU's tensor instructions do, as operations on vectors and tiles. Each
// has two lowerings (Lower/Device.h): the instruction, and plain code that
// computes the same bits.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_DIALECT_DEVICE_DEVICEOPS
#define NESTOR_DIALECT_DEVICE_DEVICEOPS

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Dialect/LLVMIR/LLVMOpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Device_Dialect : Dialect {
  let name = "device";
  let cppNamespace = "::nestor::device";
  let summary = "Tensor instructions of a processor, typed.";
  let description = [{
    Operations stand for instructions and are named by their kinds; the operands
    are vectors, or tiles of `!device.tile<rows x columns x element>`. Lowering
    writes each as the instruction where the target has it, and as plain code that
    computes the same bits where it has not, so every kernel runs everywhere.
  }];
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["mlir::LLVM::LLVMDialect"];
}

class Device_Op<string mnemonic, list<Trait> traits = []> : Op<Device_Dialect, mnemonic, traits>;

def Device_Tile : TypeDef<Device_Dialect, "Tile"> {
  let mnemonic = "tile";
  let summary = "A tile register: rows of at most 64 bytes.";
  let description = [{
    At most 16 rows of at most 64 bytes, a multiple of 4. Tiles are values: they
    pass through `scf.for` and `scf.if`, never through a call.
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Bytes of a row.
    int64_t getRowBytes();
  }];
}

def Device_DotKind : I32EnumAttr<"DotKind", "the instruction that a device.dot stands for", [
    I32EnumAttrCase<"Vpdpbusd", 0, "vpdpbusd">,
    I32EnumAttrCase<"Vpdpwssd", 1, "vpdpwssd">,
    I32EnumAttrCase<"Vpmaddwd", 2, "vpmaddwd">,
    I32EnumAttrCase<"Vdpbf16ps", 3, "vdpbf16ps">,
    I32EnumAttrCase<"Sdot", 4, "sdot">,
    I32EnumAttrCase<"Udot", 5, "udot">,
    I32EnumAttrCase<"Usdot", 6, "usdot">,
    I32EnumAttrCase<"Smmla", 7, "smmla">,
    I32EnumAttrCase<"Ummla", 8, "ummla">,
    I32EnumAttrCase<"Usmmla", 9, "usmmla">,
    I32EnumAttrCase<"Bfdot", 10, "bfdot">,
    I32EnumAttrCase<"Bfmmla", 11, "bfmmla">]> {
  let cppNamespace = "::nestor::device";
}

def Device_TileDotKind : I32EnumAttr<"TileDotKind", "the instruction that a device.tile_dot stands for", [
    I32EnumAttrCase<"Tdpbssd", 0, "tdpbssd">,
    I32EnumAttrCase<"Tdpbsud", 1, "tdpbsud">,
    I32EnumAttrCase<"Tdpbusd", 2, "tdpbusd">,
    I32EnumAttrCase<"Tdpbuud", 3, "tdpbuud">,
    I32EnumAttrCase<"Tdpbf16ps", 4, "tdpbf16ps">]> {
  let cppNamespace = "::nestor::device";
}

def Device_DotOp : Device_Op<"dot", [Pure, AllTypesMatch<["acc", "result"]>, AllTypesMatch<["lhs", "rhs"]>]> {
  let summary = "Short dot products, added to the lanes of a vector.";
  let description = [{
    A lane of 32 bits of the accumulator takes the group of elements that lies in
    the same 32 bits of both operands:

    | kind | elements | lane i of the result |
    |---|---|---|
    | `vpdpbusd` | u8, s8 | acc[i] + the 4 products, modulo 2^32 |
    | `vpdpwssd` | s16, s16 | acc[i] + the 2 products, modulo 2^32 |
    | `vpmaddwd` | s16, s16 | the same, as a product and an addition |
    | `vdpbf16ps` | bf16 | two fused multiply-adds, the odd element first; denormals count as 0 |
    | `sdot` `udot` `usdot` | s8,s8  u8,u8  u8,s8 | acc[i] + the 4 products, modulo 2^32 |
    | `bfdot` | bf16 | acc[i] + (product + product), each rounded to odd; denormals count as 0 |

    The matrix kinds see their 128 bits as matrices: acc 2 x 2, lhs 2 x k and the
    transpose of rhs 2 x k, row-major; `smmla` (s8, s8), `ummla` (u8, u8) and
    `usmmla` (u8, s8) with k = 8, `bfmmla` (bf16) with k = 4, which is `bfdot`
    for each pair of elements in turn.

    ```mlir
    %r = device.dot vpdpbusd %acc, %a, %b : vector<16xi32>, vector<64xi8>
    ```
  }];
  let arguments = (ins Device_DotKind:$kind, AnyVectorOfNonZeroRank:$acc,
                       AnyVectorOfNonZeroRank:$lhs, AnyVectorOfNonZeroRank:$rhs);
  let results = (outs AnyVectorOfNonZeroRank:$result);
  let assemblyFormat = "$kind $acc `,` $lhs `,` $rhs attr-dict `:` type($acc) `,` type($lhs)";
  let hasVerifier = 1;
}

def Device_FmaOp : Device_Op<"fma", [Pure, AllTypesMatch<["lhs", "rhs", "acc", "result"]>]> {
  let summary = "Fused multiply-adds of 16-bit floats.";
  let description = [{
    `lhs * rhs + acc` on each lane, rounded once. For f16, which other arithmetic
    computes in f32; for f32 and f64 there is `math.fma`.

    ```mlir
    %r = device.fma %a, %b, %acc : vector<32xf16>
    ```
  }];
  let arguments = (ins VectorOfNonZeroRankOf<[F16]>:$lhs, VectorOfNonZeroRankOf<[F16]>:$rhs,
                       VectorOfNonZeroRankOf<[F16]>:$acc);
  let results = (outs VectorOfNonZeroRankOf<[F16]>:$result);
  let assemblyFormat = "$lhs `,` $rhs `,` $acc attr-dict `:` type($result)";
}

def Device_TileZeroOp : Device_Op<"tile_zero"> {
  let summary = "A tile of zeros.";
  let description = [{
    Each accumulator needs one of its own: a tile of zeros with several uses would
    be copied through memory, since no instruction moves a tile to a tile. So two
    of them never become one.

    ```mlir
    %t = device.tile_zero : !device.tile<16x16xi32>
    ```
  }];
  let results = (outs Res<Device_Tile, "", [MemAlloc]>:$result);
  let assemblyFormat = "attr-dict `:` qualified(type($result))";
}

def Device_TileLoadOp : Device_Op<"tile_load"> {
  let summary = "A tile from memory, row by row.";
  let description = [{
    Row r comes from the bytes at `base + r * stride`. `streaming`: the rows are
    not needed soon again.

    ```mlir
    %t = device.tile_load %p, %stride : !device.tile<16x64xi8>
    ```
  }];
  let arguments = (ins Arg<LLVM_DefaultPointer, "", [MemRead]>:$base, I64:$stride, UnitAttr:$streaming);
  let results = (outs Device_Tile:$result);
  let assemblyFormat = "$base `,` $stride (`streaming` $streaming^)? attr-dict `:` qualified(type($result))";
}

def Device_TileStoreOp : Device_Op<"tile_store"> {
  let summary = "A tile to memory, row by row.";
  let description = [{
    Row r goes to the bytes at `base + r * stride`.

    ```mlir
    device.tile_store %t, %p, %stride : !device.tile<16x16xi32>
    ```
  }];
  let arguments = (ins Device_Tile:$tile, Arg<LLVM_DefaultPointer, "", [MemWrite]>:$base, I64:$stride);
  let assemblyFormat = "$tile `,` $base `,` $stride attr-dict `:` qualified(type($tile))";
}

def Device_TileDotOp : Device_Op<"tile_dot", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "A product of two tiles, added to a third.";
  let description = [{
    `lhs` is m x k, `acc` is m x n. `rhs` holds k x n with the elements of 4 bytes of
    a column side by side: row q has, for each column, elements q*4 ... q*4+3 of k
    (8 bits) or q*2, q*2+1 (16 bits).

    The letters of the integer kinds say how lhs and rhs are extended: `tdpbssd`
    signed, signed; `tdpbsud` signed, unsigned; `tdpbusd`; `tdpbuud`. Sums are
    modulo 2^32. `tdpbf16ps` adds the products of even and of odd k apart, by fused
    multiply-adds from 0, then acc + (even + odd); denormals count as 0.

    ```mlir
    %r = device.tile_dot tdpbusd %acc, %a, %b
      : !device.tile<16x16xi32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
    ```
  }];
  let arguments = (ins Device_TileDotKind:$kind, Device_Tile:$acc, Device_Tile:$lhs, Device_Tile:$rhs);
  let results = (outs Device_Tile:$result);
  let assemblyFormat = "$kind $acc `,` $lhs `,` $rhs attr-dict `:` qualified(type($acc)) `,` qualified(type($lhs)) `,` qualified(type($rhs))";
  let hasVerifier = 1;
}

#endif // NESTOR_DIALECT_DEVICE_DEVICEOPS
