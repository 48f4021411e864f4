//===- TensorFile.h - Tensors in files --------------------------*- C++ -*-===//
//
// .npy and .npz (NumPy), .pb (a TensorProto), and raw bytes. Files are read as
// hostile: every size is checked before memory is taken.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_API_TENSORFILE_H
#define NESTOR_API_TENSORFILE_H

#include "nestor/API/Tensor.h"

#include <string>
#include <utility>
#include <vector>

namespace nestor {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// The tensor in a .npy file's bytes.
Result<Tensor> parseNpy(std::span<const uint8_t> bytes);
std::string formatNpy(const Tensor &tensor);

/// All entries of an .npz file's bytes, names without ".npy".
Result<std::vector<NamedTensor>> parseNpz(std::span<const uint8_t> bytes);
Result<void> writeNpz(const std::string &path,
                      std::span<const NamedTensor> tensors);

/// Reads a .npy, .npz or .pb file by what it holds, not by its name. A .npy
/// tensor has no name.
Result<std::vector<NamedTensor>> readTensors(const std::string &path);
/// Reads a file of exactly the bytes of `dtype` and `dims`.
Result<Tensor> readRaw(const std::string &path, DType dtype,
                       std::vector<int64_t> dims);

} // namespace nestor

#endif // NESTOR_API_TENSORFILE_H
