//===- Layout.td - transform_layout ------------------------*- tablegen -*-===//

def TransformLayoutOp : NestTransformOp<"transform_layout"> {
  let summary = "Stores a buffer in another order";
  let description = [{
    `map` takes indices of the buffer to indices of its new form: every result
    is a dim, a dim floordiv a constant, or that mod a constant, and together
    they say each dim completely, e.g.
    `affine_map<(k, n) -> (n floordiv 16, k, n mod 16)>`.

    A buffer of the kernel is rewritten with all its accesses. An argument
    changes the signature; the function gets
    `relayouts = [ {arg = 1, kernel = @pack_f_1} ]`, and the kernel named there
    makes the new form from the old one (what is padded is 0).

    Refuses arguments that are written, arguments that were transformed before,
    maps that are not of that form, and padding to more than 256 times the size.
  }];
  let arguments = (ins BlockHandle:$block, StrAttr:$role, I64Attr:$buffer,
                       AffineMapAttr:$map);
  let assemblyFormat = "$block $role $buffer `to` $map attr-dict";
}
