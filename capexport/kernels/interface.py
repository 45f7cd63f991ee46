"""include/capexport_kernels.h for ctypes: the structs, and the type of every function."""

import ctypes as c

from capexport.errors import BundleError, CapexportError, InputError

ABI_VERSION = 3
ALIGNMENT = 64
LAYOUTS = ("csr", "well")
OK = 0


class KernelInfo(c.Structure):
    """ck_kernel_info."""

    _fields_ = (
        ("name", c.c_char_p),
        ("isa", c.c_uint32),
        ("layout", c.c_int),
        ("window", c.c_int32),
    )


class Weights(c.Structure):
    """ck_weights."""

    _fields_ = (
        ("blob", c.c_void_p),
        ("dense", c.c_void_p),
        ("start", c.c_void_p),
        ("column", c.c_void_p),
        ("value", c.c_void_p),
        ("rows", c.c_int32),
        ("cols", c.c_int32),
        ("nnz", c.c_int64),
        ("entries", c.c_int64),
        ("live_rows", c.c_int32),
        ("has_scale", c.c_int32),
        ("has_bias", c.c_int32),
    )


class Plan(c.Structure):
    """ck_plan."""

    _fields_ = (("kernel", c.c_int32), ("slots", c.c_int64), ("packed_size", c.c_uint64))


class Int8Range(c.Structure):
    """ck_int8_range."""

    _fields_ = (("zero", c.c_int32), ("low", c.c_int32), ("high", c.c_int32))


class Request(c.Structure):
    """ck_request."""

    _fields_ = (
        ("isa", c.c_uint32),
        ("rows", c.c_int32),
        ("cols", c.c_int32),
        ("nnz", c.c_int64),
        ("batch", c.c_int32),
        ("required", c.c_int32),
    )


_P, _I, _S = c.c_void_p, c.c_int32, c.c_size_t
_WEIGHTS, _PLAN, _STATUS = c.POINTER(Weights), c.POINTER(Plan), c.c_int

SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "ck_abi_version": (_I, ()),
    "ck_status_text": (c.c_char_p, (_I,)),
    "ck_isa": (c.c_uint32, ()),
    "ck_kernel_count": (_I, ()),
    "ck_kernel": (c.POINTER(KernelInfo), (_I,)),
    "ck_choose": (_I, (c.POINTER(Request), c.POINTER(c.c_double))),
    "ck_weights_blob": (_STATUS, (_WEIGHTS, _P, _S)),
    "ck_weights_dense": (_STATUS, (_WEIGHTS, _P, _I, _I)),
    "ck_weights_csr": (_STATUS, (_WEIGHTS, _P, _P, _P, _I, _I, _I)),
    "ck_work_size": (_S, (_WEIGHTS,)),
    "ck_make_plan": (_STATUS, (_WEIGHTS, _I, _P, _PLAN)),
    "ck_pack": (_STATUS, (_WEIGHTS, _PLAN, _P, _P, _P, _P)),
    "ck_pack_live": (_STATUS, (_WEIGHTS, _PLAN, _P, _P, _P, _P)),
    "ck_pack_int8": (_STATUS, (_WEIGHTS, _PLAN, _P, _P, _P, _P)),
    "ck_groups": (_I, (_P,)),
    "ck_scratch_size": (_S, (_P, _I)),
    "ck_run": (_STATUS, (_P, _P, _I, _I, _P, _P)),
    "ck_quantize": (_STATUS, (_P, _P, _I, _P)),
    "ck_run_groups": (_STATUS, (_P, _P, _I, _I, _I, _I, _P)),
    "ck_load_int8": (_STATUS, (_P, _P, _I, _I, _P)),
    "ck_run_int8_groups": (_STATUS, (_P, _P, _I, _I, _I, c.POINTER(Int8Range), _P)),
    "ck_run_integer": (_STATUS, (_P, _P, _S, _I, _P, _I, _P, _P)),
    "ck_index_rows": (None, (_WEIGHTS, _P)),
    "ck_spread_scale": (None, (_WEIGHTS, _P, _P, _P)),
    "ck_read_row": (_STATUS, (_WEIGHTS, _P, c.c_int64, _P)),
    "ck_embed_row": (_STATUS, (_WEIGHTS, _P, c.c_int64, c.c_float, _P)),
}


def declare(library: c.CDLL) -> c.CDLL:
    """The same library, its functions typed. AttributeError if one is missing."""
    for name, (result, arguments) in SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def check(library: c.CDLL, status: int, where: str) -> None:
    """Raises what a status stands for: a blob is damaged (BundleError), else InputError."""
    if status == OK:
        return
    text = (library.ck_status_text(status) or b"unknown status").decode()
    kind: type[CapexportError] = BundleError if "blob" in text else InputError
    hint = "copy or export the bundle again" if kind is BundleError else "see capexport_kernels.h"
    raise kind(text, where=where, hint=hint)
