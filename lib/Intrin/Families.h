//===- Families.h - The list of families ------------------------*- C++ -*-===//
//
// A family adds its records, one for each form and width. A new one is a file
// in the vendor's folder, a line here and a line in the list of Intrin.cpp.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_INTRIN_FAMILIES_H
#define NESTOR_LIB_INTRIN_FAMILIES_H

#include "nestor/Intrin/Intrin.h"

namespace nestor::intrin {

using Records = std::vector<Record>;

void addAmx(Records &records);
void addVnni(Records &records);
void addMadd(Records &records);
void addBf16(Records &records);
void addFma(Records &records);
void addArmDot(Records &records);

} // namespace nestor::intrin

#endif // NESTOR_LIB_INTRIN_FAMILIES_H
