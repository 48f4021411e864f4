//===- Device.h - Device operations to instructions or plain code -*- C++
//-*-===//
//
// Each operation of the device dialect has two lowerings: `real`, the
// intrinsic of the instruction it stands for, and `emulated`, vector and arith
// operations that compute the same bits, so that kernels for AMX, VNNI or Arm
// run and are checked on any machine.
//
//   %r = device.dot vpdpbusd %acc, %a, %b : vector<16xi32>, vector<64xi8>
//   => %r = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%acc, %a, %b)
//   or shifts, products and additions of vector<16xi32>
//
// Tiles become x86_amx values, or vectors of rows in 32-bit words; all tiles of
// a function one or the other.
//
// Assumes: scf is still there, functions are llvm.func; math and arith of
// 16-bit floats are expanded afterwards (VectorMath.h). Leaves true: no device
// operation or type. Real tiles live in one function without calls between
// them, or LLVM configures the tiles once more after each.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LOWER_DEVICE_H
#define NESTOR_LOWER_DEVICE_H

#include "nestor/Target/Target.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

namespace nestor {

/// Lowers everything below `root`: real where `target` has the features, else
/// emulated. No target: all emulated.
mlir::LogicalResult lowerDevice(mlir::ModuleOp root, const Target *target);

/// Whether code for `target` may hold the instruction of `op`.
bool isReal(mlir::Operation *op, const Target *target);

} // namespace nestor

#endif // NESTOR_LOWER_DEVICE_H
