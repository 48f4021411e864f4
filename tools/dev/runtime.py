"""libnestor_rt from Python: loads an artefact and runs it on NumPy arrays.

What the tests and benchmarks use to prove that an artefact needs nothing but the
small runtime; the structs mirror include/nestor/Runtime/nestor_rt.h.
"""

import ctypes as c

import numpy as np

from harness import TOP

LIBRARY = TOP / "build" / "lib" / "libnestor_rt.so"
NST_API_1 = 1
# DLPack's type codes by NumPy's kinds, and enum nst_dtype's order.
DL_CODES = {"i": 0, "u": 1, "f": 2, "b": 6}
DTYPES = "bool u1 i1 u2 i2 u4 i4 u8 i8 f2 bfloat16 f4 f8".split()


class Device(c.Structure):
    _fields_ = [("type", c.c_int32), ("id", c.c_int32)]


class DType(c.Structure):
    _fields_ = [("code", c.c_uint8), ("bits", c.c_uint8), ("lanes", c.c_uint16)]


class Tensor(c.Structure):
    _fields_ = [
        ("data", c.c_void_p),
        ("device", Device),
        ("ndim", c.c_int32),
        ("dtype", DType),
        ("shape", c.POINTER(c.c_int64)),
        ("strides", c.POINTER(c.c_int64)),
        ("byte_offset", c.c_uint64),
    ]


class ContextOptions(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("threads", c.c_int32),
        ("reserved", c.c_int32),
        ("parallel_for", c.c_void_p),
        ("parallel_user", c.c_void_p),
        ("allocate", c.c_void_p),
        ("free", c.c_void_p),
        ("memory_user", c.c_void_p),
        ("memory_limit", c.c_uint64),
    ]


class IoInfo(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("name", c.c_char_p),
        ("dtype", c.c_int32),
        ("rank", c.c_int32),
        ("dims", c.POINTER(c.c_int64)),
        ("dim_names", c.POINTER(c.c_char_p)),
    ]


def _function(result, *arguments):
    return c.CFUNCTYPE(result, *arguments)


P = c.c_void_p
OUT = c.POINTER(c.c_void_p)
TENSORS = c.POINTER(c.POINTER(Tensor))


class Api(c.Structure):
    _fields_ = [
        ("struct_size", c.c_size_t),
        ("status_code", _function(c.c_int32, P)),
        ("status_message", _function(c.c_char_p, P)),
        ("status_free", _function(None, P)),
        ("context_create", _function(P, c.POINTER(ContextOptions), OUT)),
        ("context_free", _function(None, P)),
        ("load_file", _function(P, P, c.c_char_p, P, OUT)),
        ("load", _function(P, P, P, c.c_size_t, P, OUT)),
        ("program_free", _function(None, P)),
        ("io_count", _function(None, P, c.POINTER(c.c_uint32), c.POINTER(c.c_uint32))),
        ("input_info", _function(P, P, c.c_uint32, c.POINTER(IoInfo))),
        ("output_info", _function(P, P, c.c_uint32, c.POINTER(IoInfo))),
        ("instance_create", _function(P, P, OUT)),
        ("instance_free", _function(None, P)),
        ("run", _function(P, P, TENSORS, c.c_uint32, TENSORS, c.c_uint32)),
        ("output", _function(P, P, c.c_uint32, c.POINTER(Tensor))),
        ("trim", _function(None, P)),
    ]


class RuntimeFailure(Exception):
    """A status of the runtime; `code` means what the command's exit code does."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Model:
    """A loaded artefact with one instance: model(feeds) => {output: array}."""

    def __init__(self, path, threads=0, library=LIBRARY):
        get_api = c.CDLL(str(library)).nst_get_api
        get_api.restype, get_api.argtypes = c.POINTER(Api), [c.c_uint32]
        self.api = get_api(NST_API_1).contents
        options = ContextOptions(struct_size=c.sizeof(ContextOptions), threads=threads)
        self.context = self._made(self.api.context_create, c.byref(options))
        self.program = self._made(self.api.load_file, self.context, str(path).encode(), None)
        self.instance = self._made(self.api.instance_create, self.program)
        counts = c.c_uint32(), c.c_uint32()
        self.api.io_count(self.program, c.byref(counts[0]), c.byref(counts[1]))
        self.inputs = [self._info(self.api.input_info, i) for i in range(counts[0].value)]
        self.outputs = [self._info(self.api.output_info, i) for i in range(counts[1].value)]

    def _check(self, status):
        if status:
            failure = RuntimeFailure(self.api.status_code(status), self.api.status_message(status).decode())
            self.api.status_free(status)
            raise failure

    def _made(self, function, *arguments):
        handle = c.c_void_p()
        self._check(function(*arguments, c.byref(handle)))
        return handle

    def _info(self, function, index):
        info = IoInfo(struct_size=c.sizeof(IoInfo))
        self._check(function(self.program, index, c.byref(info)))
        return info.name.decode(), DTYPES[info.dtype]

    def prepare(self, feeds):
        """The call's arguments for these arrays, to be run many times."""
        arrays, tensors = [], (c.POINTER(Tensor) * len(self.inputs))()
        for index, (name, dtype) in enumerate(self.inputs):
            array = np.array(feeds[name], dtype=dtype, order="C")
            shape = (c.c_int64 * array.ndim)(*array.shape)
            kind = DType(DL_CODES[array.dtype.kind], array.itemsize * 8, 1)
            tensor = Tensor(array.ctypes.data, Device(1, 0), array.ndim, kind, shape, None, 0)
            tensors[index] = c.pointer(tensor)
            arrays += [array, shape, tensor]
        tensors.keep_alive = arrays
        return tensors

    def run(self, tensors):
        self._check(self.api.run(self.instance, tensors, len(self.inputs), None, 0))

    def output(self, index):
        view = Tensor()
        self._check(self.api.output(self.instance, index, c.byref(view)))
        shape = tuple(view.shape[d] for d in range(view.ndim))
        dtype = np.dtype(self.outputs[index][1])
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        data = c.string_at(view.data + view.byte_offset, size) if size else b""
        return np.frombuffer(data, dtype).reshape(shape).copy()

    def __call__(self, feeds):
        self.run(self.prepare(feeds))
        return {name: self.output(index) for index, (name, _) in enumerate(self.outputs)}

    def close(self):
        self.api.instance_free(self.instance)
        self.api.program_free(self.program)
        self.api.context_free(self.context)
