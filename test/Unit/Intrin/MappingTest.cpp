// Which iterators may feed which axis of a record: all choices and orders of
// those that move the same operands, and no others.
#include "nestor/Intrin/Mapping.h"

#include "nestor/Analysis/Blocks.h"

#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nestor;

namespace {
class Mappings : public testing::Test {
protected:
  Mappings() {
    context.loadDialect<nest::NestDialect, arith::ArithDialect,
                        memref::MemRefDialect>();
  }

  std::vector<std::string> of(llvm::StringRef record, const char *text) {
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    nest::FuncOp kernel = *module->getOps<nest::FuncOp>().begin();
    analysis::Obstacle obstacle;
    auto contraction =
        analysis::contractionOf(analysis::blocksIn(kernel).front(), obstacle);
    EXPECT_TRUE(contraction) << obstacle.text;
    const intrin::Record *found = intrin::find(record);
    EXPECT_TRUE(found);
    std::vector<std::string> names;
    for (const intrin::Mapping &mapping :
         intrin::mappings(*found, *contraction))
      names.push_back(mapping.str(*found));
    return names;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

const char *kMatmul = R"(
nest.func @f(%A: memref<8x64xi8>, %B: memref<64x48xi8>, %C: memref<8x48xi32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 48 {
      nest.for %k = 0 to 64 {
        nest.block "C" (%vi : spatial = %i to 8, %vj : spatial = %j to 48, %vk : reduce = %k to 64) {
          %a = memref.load %A[%vi, %vk] : memref<8x64xi8>
          %b = memref.load %B[%vk, %vj] : memref<64x48xi8>
          %c = memref.load %C[%vi, %vj] : memref<8x48xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %y, %x : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vi, %vj] : memref<8x48xi32>
        }
      }
    }
  }
}
)";

const char *kConvolution = R"(
nest.func @f(%A: memref<2x9x9x16xi8>, %W: memref<3x3x16x32xi8>, %C: memref<2x7x7x32xi32>) {
  nest.for %n = 0 to 2 { nest.for %h = 0 to 7 { nest.for %w = 0 to 7 { nest.for %o = 0 to 32 {
  nest.for %r = 0 to 3 { nest.for %t = 0 to 3 { nest.for %i = 0 to 16 {
    nest.block "C" (%vn : spatial = %n to 2, %vh : spatial = %h to 7, %vw : spatial = %w to 7, %vo : spatial = %o to 32,
                    %vr : reduce = %r to 3, %vt : reduce = %t to 3, %vi : reduce = %i to 16) {
      %y = arith.addi %vh, %vr : index
      %x = arith.addi %vw, %vt : index
      %a = memref.load %A[%vn, %y, %x, %vi] : memref<2x9x9x16xi8>
      %b = memref.load %W[%vr, %vt, %vi, %vo] : memref<3x3x16x32xi8>
      %c = memref.load %C[%vn, %vh, %vw, %vo] : memref<2x7x7x32xi32>
      %l = arith.extui %a : i8 to i32
      %q = arith.extsi %b : i8 to i32
      %p = arith.muli %l, %q : i32
      %s = arith.addi %c, %p : i32
      memref.store %s, %C[%vn, %vh, %vw, %vo] : memref<2x7x7x32xi32>
    }
  } } } } } } }
}
)";

TEST_F(Mappings, AMatmulHasOne) {
  // The signs say which factor is lhs, whatever the order in the text.
  EXPECT_EQ(of("x86.vpdpbusd.512", kMatmul),
            std::vector<std::string>{"m:; n: 1; k: 2"});
  EXPECT_EQ(of("x86.amx.tdpbusd", kMatmul),
            std::vector<std::string>{"m: 0; n: 1; k: 2"});
  EXPECT_TRUE(of("x86.amx.tdpbssd", kMatmul).empty());
}

TEST_F(Mappings, AConvolutionHasEveryOrderOfEveryChoice) {
  // Of three reduce iterators 3 + 6 + 6 ordered choices; the rows of a tile
  // have as many.
  std::vector<std::string> bytes = of("x86.vpdpbusd.512", kConvolution),
                           tiles = of("x86.amx.tdpbusd", kConvolution);
  EXPECT_EQ(bytes.size(), 15u);
  EXPECT_EQ(tiles.size(), 15u * 15u);
  EXPECT_EQ(bytes.front(), "m:; n: 3; k: 4");
  EXPECT_NE(llvm::find(bytes, "m:; n: 3; k: 4 5 6"), bytes.end());
  EXPECT_NE(llvm::find(bytes, "m:; n: 3; k: 6 4"), bytes.end());
  EXPECT_NE(llvm::find(tiles, "m: 1 2; n: 3; k: 5 6"), tiles.end());
}
} // namespace
