"""numpy arrays <-> the buffers of the C library: weights, packed matrices, products."""

import ctypes
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from capexport.errors import InputError
from capexport.kernels import interface

Weights = NDArray[np.int8]
Vector = NDArray[np.float32]
Rows = NDArray[np.float32]
Bytes = NDArray[np.uint8]
T = TypeVar("T", bound=np.generic)


def aligned(size: int) -> Bytes:
    """`size` zero bytes that start at a multiple of 64."""
    memory = np.zeros(size + interface.ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % interface.ALIGNMENT
    return memory[start : start + size]


class SparseWeights:
    """A checked weight matrix; keeps the bytes it was made from.

    Attributes:
        rows, columns, nnz: of the matrix.
        live_rows: rows with at least one non-zero.
    """

    def __init__(self, library: ctypes.CDLL, source: bytes | Weights) -> None:
        self._c, self.c_weights = library, interface.Weights()
        if isinstance(source, bytes):
            self._bytes: Bytes | Weights = np.frombuffer(source, np.uint8)
            status = library.ck_weights_blob(self.c_weights, self._bytes.ctypes.data, len(source))
            interface.check(library, status, "CKSB blob")
        else:
            self._bytes = _contiguous(source, np.dtype(np.int8), 2, "weights")
            address, shape = self._bytes.ctypes.data, self._bytes.shape
            status = library.ck_weights_dense(self.c_weights, address, *shape)
            interface.check(library, status, "dense weights")
        self.rows, self.columns = int(self.c_weights.rows), int(self.c_weights.cols)
        self.nnz, self.live_rows = int(self.c_weights.nnz), int(self.c_weights.live_rows)
        self._index = np.zeros(self.rows + 1, np.uint32)
        library.ck_index_rows(self.c_weights, self._index.ctypes.data)

    def dense(self) -> Weights:
        """int8 [rows, columns], decoded row by row."""
        out = np.empty((self.rows, self.columns), np.int8)
        for row in range(self.rows):
            address = out[row].ctypes.data
            self._c.ck_read_row(self.c_weights, self._index.ctypes.data, row, address)
        return out

    def embed(self, ids: NDArray[np.int64], scale: Vector | None = None) -> Rows:
        """float32 [len(ids), columns]: row `id` times scale[id].

        Args:
            ids: int64 [n].
            scale: float32, of every row or of all with weights; None for the blob's own, or 1.

        Raises:
            InputError: an id that is no row.
        """
        scale = self._scale_of_rows(scale)
        out = np.empty((len(ids), self.columns), np.float32)
        for place, row in enumerate(ids):
            if not 0 <= row < self.rows:
                raise _misfit(f"there is no row {row}", f"{self.rows} rows", "embedding")
            address = out[place].ctypes.data
            self._c.ck_embed_row(
                self.c_weights, self._index.ctypes.data, int(row), float(scale[row]), address
            )
        return out

    def _scale_of_rows(self, scale: Vector | None) -> Vector:
        if scale is not None and len(scale) == self.rows:
            return scale
        spread = np.empty(self.rows, np.float32)
        live = None if scale is None else scale.ctypes.data
        self._c.ck_spread_scale(self.c_weights, self._index.ctypes.data, live, spread.ctypes.data)
        return spread


class PackedMatrix:
    """Weights in the layout of one kernel. Any number of threads may use it at once.

    Attributes:
        rows, columns: of the matrix.
        slots: stored weights, padding included.
        size: bytes of the packed form.
    """

    def __init__(
        self,
        library: ctypes.CDLL,
        weights: SparseWeights,
        kernel: int,
        scale: Vector | None,
        bias: Vector | None,
    ) -> None:
        self._c, self.rows, self.columns = library, weights.rows, weights.columns
        plan = interface.Plan()
        work = aligned(library.ck_work_size(weights.c_weights))
        status = library.ck_make_plan(weights.c_weights, kernel, work.ctypes.data, plan)
        interface.check(library, status, "packing")
        self.slots, self.size = int(plan.slots), int(plan.packed_size)
        self._packed = aligned(self.size)
        lengths = {self.rows, weights.live_rows}
        vectors = _vector(scale, lengths), _vector(bias, {self.rows})
        addresses = [None if vector is None else vector.ctypes.data for vector in vectors]
        whole = scale is None or len(scale) == self.rows
        status = (library.ck_pack if whole else library.ck_pack_live)(
            weights.c_weights, plan, *addresses, work.ctypes.data, self._packed.ctypes.data
        )
        interface.check(library, status, "packing")

    def run(self, x: Rows, *, relu: bool = False) -> Rows:
        """float32 [n, rows] from x float32 [n, columns]: quantized, multiplied, scaled, biased.

        Raises:
            InputError: x has another type or shape.
        """
        x = self._rows_of(x, np.dtype(np.float32))
        y = np.empty((len(x), self.rows), np.float32)
        scratch = self._scratch(len(x))
        status = self._c.ck_run(
            self._packed.ctypes.data,
            x.ctypes.data,
            len(x),
            relu,
            y.ctypes.data,
            scratch.ctypes.data,
        )
        interface.check(self._c, status, "product")
        return y

    def run_in_parts(self, x: Rows, parts: int, *, relu: bool = False) -> Rows:
        """The same, group range by group range, as the threads of a runtime would share it."""
        x = self._rows_of(x, np.dtype(np.float32))
        y = np.empty((len(x), self.rows), np.float32)
        scratch, packed = self._scratch(len(x)).ctypes, self._packed.ctypes.data
        status = self._c.ck_quantize(packed, x.ctypes.data, len(x), scratch.data)
        interface.check(self._c, status, "product")
        bounds = np.linspace(0, self._c.ck_groups(packed), parts + 1).astype(int).tolist()
        for first, last in pairwise(bounds):
            status = self._c.ck_run_groups(
                packed, scratch.data, len(x), first, last, relu, y.ctypes.data
            )
            interface.check(self._c, status, "product")
        return y

    def run_integer(
        self, x: NDArray[np.int8] | NDArray[np.uint8], zero: NDArray[np.int32] | None = None
    ) -> NDArray[np.int32]:
        """int32 [n, rows], exact: (x - zero) W^T from x int8 or uint8 [n, columns], zero [n].

        Raises:
            InputError: x has another type or shape.
        """
        unsigned = x.dtype == np.uint8
        rows = self._rows_of(x, np.dtype(x.dtype if unsigned else np.int8))
        y = np.empty((len(rows), self.rows), np.int32)
        scratch = self._scratch(len(x))
        zeros = None if zero is None else _contiguous(zero, np.dtype(np.int32), 1, "zero points")
        if zeros is not None and len(zeros) != len(x):
            raise _misfit(f"{len(zeros)} zero points", f"{len(x)} rows", "product")
        status = self._c.ck_run_integer(
            self._packed.ctypes.data,
            rows.ctypes.data,
            self.columns,
            unsigned,
            None if zeros is None else zeros.ctypes.data,
            len(x),
            y.ctypes.data,
            scratch.ctypes.data,
        )
        interface.check(self._c, status, "product")
        return y

    def _rows_of(self, x: NDArray[T], dtype: np.dtype[T]) -> NDArray[T]:
        if x.ndim != 2 or x.shape[1] != self.columns or len(x) == 0:
            raise _misfit(f"x is {list(x.shape)}", f"[n, {self.columns}]", "product")
        return _contiguous(x, dtype, 2, "x")

    def _scratch(self, n: int) -> Bytes:
        return aligned(self._c.ck_scratch_size(self._packed.ctypes.data, n))


def _vector(vector: Vector | None, lengths: set[int]) -> Vector | None:
    if vector is None:
        return None
    vector = _contiguous(vector, np.dtype(np.float32), 1, "scale or bias")
    if len(vector) not in lengths:
        wanted = " or ".join(map(str, sorted(lengths)))
        raise _misfit(f"{len(vector)} values", f"{wanted} rows", "scale or bias")
    return vector


def _contiguous(array: NDArray[T], dtype: np.dtype[T], axes: int, what: str) -> NDArray[T]:
    if array.dtype != dtype or array.ndim != axes:
        raise _misfit(f"{array.dtype} {list(array.shape)}", f"{dtype}, {axes} axes", what)
    return np.ascontiguousarray(array)


def _misfit(given: str, wanted: str, where: str) -> InputError:
    return InputError(f"{given}, but {wanted} wanted", where=where, hint="give arrays that fit")
