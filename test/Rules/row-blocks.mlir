// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// Attention: all steps for one block of rows in one iteration, so that a block
// of scores and one of their exponentials in L2 are all there is of them. Keys
// are packed into panels in front, by transposed tiles. Both products run over
// register tiles of 4 x 16, which "scale" and "div" finish; rows between them
// keep lanes apart.
//
// CHECK: nest.func @attention
// CHECK: %[[PANELS:.*]] = nest.alloc : memref<2x32x64x16xf32>
// CHECK: nest.alloc : memref<1x8x8xf32, "register">
// CHECK: nest.block "scores_read1" (
// CHECK: nest.for %{{.*}} = 0 to 2 parallel
// CHECK-NEXT: nest.for %{{.*}} = 0 to 1 parallel
// CHECK-DAG: nest.alloc : memref<1x64x512xf32>
// CHECK-DAG: nest.alloc : memref<1x64x512xf32>
// CHECK: nest.alloc : memref<1x4x16xf32, "register">
// CHECK: nest.block "scores_init"
// CHECK: nest.for %{{.*}} = 0 to 64 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 2 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "scores" (
// CHECK-NOT: where
// CHECK: memref.load %[[PANELS]]
// CHECK: nest.block "scale"
// CHECK: nest.for %{{.*}} = 0 to 64 {
// CHECK: nest.block "max_rf" (
// CHECK: nest.for %{{.*}} = 0 to 16 vectorize {
// CHECK-NEXT: nest.block "exp"
// CHECK: nest.block "sum_rf" (
// CHECK: nest.alloc : memref<1x4x16xf32, "register">
// CHECK: nest.for %{{.*}} = 0 to 512 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 unroll {
// CHECK: nest.block "values" (
// CHECK-NOT: where
// CHECK: nest.block "div"
nest.func @attention(%Q: memref<2x64x64xf32>, %K: memref<2x512x64xf32>, %V: memref<2x512x64xf32>, %Y: memref<2x64x64xf32>) {
  %S = nest.alloc : memref<2x64x512xf32>
  %T = nest.alloc : memref<2x64x512xf32>
  %M = nest.alloc : memref<2x64xf32>
  %P = nest.alloc : memref<2x64x512xf32>
  %L = nest.alloc : memref<2x64xf32>
  %O = nest.alloc : memref<2x64x64xf32>
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 64 {
      nest.for %l = 0 to 512 {
        nest.for %d = 0 to 64 {
          nest.block "scores" (%vb : spatial = %b to 2, %vi : spatial = %i to 64, %vl : spatial = %l to 512, %vd : reduce = %d to 64) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %S[%vb, %vi, %vl] : memref<2x64x512xf32>
          } {
            %q = memref.load %Q[%vb, %vi, %vd] : memref<2x64x64xf32>
            %k = memref.load %K[%vb, %vl, %vd] : memref<2x512x64xf32>
            %s = memref.load %S[%vb, %vi, %vl] : memref<2x64x512xf32>
            %p = arith.mulf %q, %k : f32
            %r = arith.addf %s, %p : f32
            memref.store %r, %S[%vb, %vi, %vl] : memref<2x64x512xf32>
          }
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 64 {
      nest.for %l = 0 to 512 {
        nest.block "scale" (%vb : spatial = %b to 2, %vi : spatial = %i to 64, %vl : spatial = %l to 512) {
          %s = memref.load %S[%vb, %vi, %vl] : memref<2x64x512xf32>
          %c = arith.constant 0.125 : f32
          %t = arith.mulf %s, %c : f32
          memref.store %t, %T[%vb, %vi, %vl] : memref<2x64x512xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 64 {
      nest.for %l = 0 to 512 {
        nest.block "max" (%vb : spatial = %b to 2, %vi : spatial = %i to 64, %vl : reduce = %l to 512) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%vb, %vi] : memref<2x64xf32>
        } {
          %t = memref.load %T[%vb, %vi, %vl] : memref<2x64x512xf32>
          %m = memref.load %M[%vb, %vi] : memref<2x64xf32>
          %r = arith.maximumf %m, %t : f32
          memref.store %r, %M[%vb, %vi] : memref<2x64xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 64 {
      nest.for %l = 0 to 512 {
        nest.block "exp" (%vb : spatial = %b to 2, %vi : spatial = %i to 64, %vl : spatial = %l to 512) {
          %t = memref.load %T[%vb, %vi, %vl] : memref<2x64x512xf32>
          %m = memref.load %M[%vb, %vi] : memref<2x64xf32>
          %d = arith.subf %t, %m : f32
          %e = math.exp %d : f32
          memref.store %e, %P[%vb, %vi, %vl] : memref<2x64x512xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 64 {
      nest.for %l = 0 to 512 {
        nest.block "sum" (%vb : spatial = %b to 2, %vi : spatial = %i to 64, %vl : reduce = %l to 512) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %L[%vb, %vi] : memref<2x64xf32>
        } {
          %e = memref.load %P[%vb, %vi, %vl] : memref<2x64x512xf32>
          %s = memref.load %L[%vb, %vi] : memref<2x64xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %L[%vb, %vi] : memref<2x64xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 64 {
      nest.for %j = 0 to 64 {
        nest.for %l = 0 to 512 {
          nest.block "values" (%vb : spatial = %b to 2, %vi : spatial = %i to 64, %vj : spatial = %j to 64, %vl : reduce = %l to 512) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %O[%vb, %vi, %vj] : memref<2x64x64xf32>
          } {
            %e = memref.load %P[%vb, %vi, %vl] : memref<2x64x512xf32>
            %v = memref.load %V[%vb, %vl, %vj] : memref<2x512x64xf32>
            %o = memref.load %O[%vb, %vi, %vj] : memref<2x64x64xf32>
            %p = arith.mulf %e, %v : f32
            %r = arith.addf %o, %p : f32
            memref.store %r, %O[%vb, %vi, %vj] : memref<2x64x64xf32>
          }
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 64 {
      nest.for %j = 0 to 64 {
        nest.block "div" (%vb : spatial = %b to 2, %vi : spatial = %i to 64, %vj : spatial = %j to 64) {
          %o = memref.load %O[%vb, %vi, %vj] : memref<2x64x64xf32>
          %l = memref.load %L[%vb, %vi] : memref<2x64xf32>
          %r = arith.divf %o, %l : f32
          memref.store %r, %Y[%vb, %vi, %vj] : memref<2x64x64xf32>
        }
      }
    }
  }
}

// 13 rows, 37 keys, 11 values: one block for all rows; rests of the rows and of
// the keys get code of their own.
//
// CHECK: nest.func @odd
// CHECK: nest.alloc : memref<1x13x37xf32>
// CHECK: nest.block "scores" (
// CHECK: nest.block "scores_tail" ({{.*}} where (
// CHECK: nest.block "max_rf_tail" ({{.*}} where (
// CHECK: nest.block "values" (
// CHECK: nest.block "values_tail" ({{.*}} where (
nest.func @odd(%Q: memref<2x13x5xf32>, %K: memref<2x37x5xf32>, %V: memref<2x37x11xf32>, %Y: memref<2x13x11xf32>) {
  %S = nest.alloc : memref<2x13x37xf32>
  %T = nest.alloc : memref<2x13x37xf32>
  %M = nest.alloc : memref<2x13xf32>
  %P = nest.alloc : memref<2x13x37xf32>
  %L = nest.alloc : memref<2x13xf32>
  %O = nest.alloc : memref<2x13x11xf32>
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %l = 0 to 37 {
        nest.for %d = 0 to 5 {
          nest.block "scores" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vl : spatial = %l to 37, %vd : reduce = %d to 5) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %S[%vb, %vi, %vl] : memref<2x13x37xf32>
          } {
            %q = memref.load %Q[%vb, %vi, %vd] : memref<2x13x5xf32>
            %k = memref.load %K[%vb, %vl, %vd] : memref<2x37x5xf32>
            %s = memref.load %S[%vb, %vi, %vl] : memref<2x13x37xf32>
            %p = arith.mulf %q, %k : f32
            %r = arith.addf %s, %p : f32
            memref.store %r, %S[%vb, %vi, %vl] : memref<2x13x37xf32>
          }
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %l = 0 to 37 {
        nest.block "scale" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vl : spatial = %l to 37) {
          %s = memref.load %S[%vb, %vi, %vl] : memref<2x13x37xf32>
          %c = arith.constant 0.125 : f32
          %t = arith.mulf %s, %c : f32
          memref.store %t, %T[%vb, %vi, %vl] : memref<2x13x37xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %l = 0 to 37 {
        nest.block "max" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vl : reduce = %l to 37) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%vb, %vi] : memref<2x13xf32>
        } {
          %t = memref.load %T[%vb, %vi, %vl] : memref<2x13x37xf32>
          %m = memref.load %M[%vb, %vi] : memref<2x13xf32>
          %r = arith.maximumf %m, %t : f32
          memref.store %r, %M[%vb, %vi] : memref<2x13xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %l = 0 to 37 {
        nest.block "exp" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vl : spatial = %l to 37) {
          %t = memref.load %T[%vb, %vi, %vl] : memref<2x13x37xf32>
          %m = memref.load %M[%vb, %vi] : memref<2x13xf32>
          %d = arith.subf %t, %m : f32
          %e = math.exp %d : f32
          memref.store %e, %P[%vb, %vi, %vl] : memref<2x13x37xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %l = 0 to 37 {
        nest.block "sum" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vl : reduce = %l to 37) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %L[%vb, %vi] : memref<2x13xf32>
        } {
          %e = memref.load %P[%vb, %vi, %vl] : memref<2x13x37xf32>
          %s = memref.load %L[%vb, %vi] : memref<2x13xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %L[%vb, %vi] : memref<2x13xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %j = 0 to 11 {
        nest.for %l = 0 to 37 {
          nest.block "values" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vj : spatial = %j to 11, %vl : reduce = %l to 37) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %O[%vb, %vi, %vj] : memref<2x13x11xf32>
          } {
            %e = memref.load %P[%vb, %vi, %vl] : memref<2x13x37xf32>
            %v = memref.load %V[%vb, %vl, %vj] : memref<2x37x11xf32>
            %o = memref.load %O[%vb, %vi, %vj] : memref<2x13x11xf32>
            %p = arith.mulf %e, %v : f32
            %r = arith.addf %o, %p : f32
            memref.store %r, %O[%vb, %vi, %vj] : memref<2x13x11xf32>
          }
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %j = 0 to 11 {
        nest.block "div" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vj : spatial = %j to 11) {
          %o = memref.load %O[%vb, %vi, %vj] : memref<2x13x11xf32>
          %l = memref.load %L[%vb, %vi] : memref<2x13xf32>
          %r = arith.divf %o, %l : f32
          memref.store %r, %Y[%vb, %vi, %vj] : memref<2x13x11xf32>
        }
      }
    }
  }
}

// The exponentials are an output: whole matrices are needed anyway, and each
// nest stands alone.
//
// CHECK: nest.func @kept
// CHECK: nest.block "scale"
// CHECK: {{^    }}nest.for
// CHECK: nest.block "exp
// CHECK: {{^    }}nest.for
// CHECK: nest.block "values
nest.func @kept(%Q: memref<2x13x5xf32>, %K: memref<2x37x5xf32>, %V: memref<2x37x11xf32>, %Y: memref<2x13x11xf32>, %P: memref<2x13x37xf32>) {
  %S = nest.alloc : memref<2x13x37xf32>
  %T = nest.alloc : memref<2x13x37xf32>
  %M = nest.alloc : memref<2x13xf32>
  %L = nest.alloc : memref<2x13xf32>
  %O = nest.alloc : memref<2x13x11xf32>
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %l = 0 to 37 {
        nest.for %d = 0 to 5 {
          nest.block "scores" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vl : spatial = %l to 37, %vd : reduce = %d to 5) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %S[%vb, %vi, %vl] : memref<2x13x37xf32>
          } {
            %q = memref.load %Q[%vb, %vi, %vd] : memref<2x13x5xf32>
            %k = memref.load %K[%vb, %vl, %vd] : memref<2x37x5xf32>
            %s = memref.load %S[%vb, %vi, %vl] : memref<2x13x37xf32>
            %p = arith.mulf %q, %k : f32
            %r = arith.addf %s, %p : f32
            memref.store %r, %S[%vb, %vi, %vl] : memref<2x13x37xf32>
          }
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %l = 0 to 37 {
        nest.block "scale" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vl : spatial = %l to 37) {
          %s = memref.load %S[%vb, %vi, %vl] : memref<2x13x37xf32>
          %c = arith.constant 0.125 : f32
          %t = arith.mulf %s, %c : f32
          memref.store %t, %T[%vb, %vi, %vl] : memref<2x13x37xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %l = 0 to 37 {
        nest.block "max" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vl : reduce = %l to 37) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%vb, %vi] : memref<2x13xf32>
        } {
          %t = memref.load %T[%vb, %vi, %vl] : memref<2x13x37xf32>
          %m = memref.load %M[%vb, %vi] : memref<2x13xf32>
          %r = arith.maximumf %m, %t : f32
          memref.store %r, %M[%vb, %vi] : memref<2x13xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %l = 0 to 37 {
        nest.block "exp" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vl : spatial = %l to 37) {
          %t = memref.load %T[%vb, %vi, %vl] : memref<2x13x37xf32>
          %m = memref.load %M[%vb, %vi] : memref<2x13xf32>
          %d = arith.subf %t, %m : f32
          %e = math.exp %d : f32
          memref.store %e, %P[%vb, %vi, %vl] : memref<2x13x37xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %l = 0 to 37 {
        nest.block "sum" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vl : reduce = %l to 37) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %L[%vb, %vi] : memref<2x13xf32>
        } {
          %e = memref.load %P[%vb, %vi, %vl] : memref<2x13x37xf32>
          %s = memref.load %L[%vb, %vi] : memref<2x13xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %L[%vb, %vi] : memref<2x13xf32>
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %j = 0 to 11 {
        nest.for %l = 0 to 37 {
          nest.block "values" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vj : spatial = %j to 11, %vl : reduce = %l to 37) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %O[%vb, %vi, %vj] : memref<2x13x11xf32>
          } {
            %e = memref.load %P[%vb, %vi, %vl] : memref<2x13x37xf32>
            %v = memref.load %V[%vb, %vl, %vj] : memref<2x37x11xf32>
            %o = memref.load %O[%vb, %vi, %vj] : memref<2x13x11xf32>
            %p = arith.mulf %e, %v : f32
            %r = arith.addf %o, %p : f32
            memref.store %r, %O[%vb, %vi, %vj] : memref<2x13x11xf32>
          }
        }
      }
    }
  }
  nest.for %b = 0 to 2 {
    nest.for %i = 0 to 13 {
      nest.for %j = 0 to 11 {
        nest.block "div" (%vb : spatial = %b to 2, %vi : spatial = %i to 13, %vj : spatial = %j to 11) {
          %o = memref.load %O[%vb, %vi, %vj] : memref<2x13x11xf32>
          %l = memref.load %L[%vb, %vi] : memref<2x13xf32>
          %r = arith.divf %o, %l : f32
          memref.store %r, %Y[%vb, %vi, %vj] : memref<2x13x11xf32>
        }
      }
    }
  }
}
