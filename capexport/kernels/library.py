"""The built library, loaded: its kernels, and the rule that picks one."""

import ctypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from capexport.errors import InputError
from capexport.kernels import interface
from capexport.kernels.build import build
from capexport.kernels.matrix import PackedMatrix, SparseWeights, Vector, Weights

DECLINE = -1


@dataclass(frozen=True)
class Kernel:
    """One line of kernels.inc that is part of the library.

    Args:
        number: what the C interface takes.
        name: layout, window, instruction set: "well128_avx512vnni".
        layout: "csr" or "well".
        window: columns that a step of WELL covers, 0 for CSR.
        isa: bits of the instruction sets that it needs.
        supported: this CPU has them.
    """

    number: int
    name: str
    layout: str
    window: int
    isa: int
    supported: bool


@dataclass(frozen=True)
class Choice:
    """What the dispatch rule says; `kernel` is None where the dense runtime is faster.

    Args:
        kernel: name.
        least_sparsity: fraction of zeros from which the layer is taken; above 1: never.
    """

    kernel: str | None
    least_sparsity: float


class KernelLibrary:
    """A view of one library file.

    Raises:
        InputError: the file is no such library, or of another version of the interface.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._c = interface.declare(ctypes.CDLL(str(path)))
        except (OSError, AttributeError) as error:
            raise _not_ours(path, str(error)) from error
        if (version := self._c.ck_abi_version()) != interface.ABI_VERSION:
            raise _not_ours(path, f"version {version} of the interface")
        self.isa = int(self._c.ck_isa())
        self.kernels = tuple(self._kernel(i) for i in range(self._c.ck_kernel_count()))

    def _kernel(self, number: int) -> Kernel:
        info = self._c.ck_kernel(number).contents
        supported = self.isa & info.isa == info.isa
        layout = interface.LAYOUTS[info.layout]
        return Kernel(number, info.name.decode(), layout, info.window, info.isa, supported)

    def kernel(self, name: str) -> Kernel:
        """The kernel of that name.

        Raises:
            InputError: the library has none.
        """
        for kernel in self.kernels:
            if kernel.name == name:
                return kernel
        names = ", ".join(kernel.name for kernel in self.kernels)
        raise InputError(
            f"there is no kernel {name!r}", where=str(self.path), hint=f"one of: {names}"
        )

    def choose(
        self,
        rows: int,
        columns: int,
        nnz: int,
        batch: int,
        *,
        isa: int | None = None,
        required: bool = False,
    ) -> Choice:
        """The kernel for weights [rows, columns] and `batch` rows of x.

        Args:
            isa: pretend a CPU with these instruction sets.
            required: the dense runtime cannot run the layer, so never decline.
        """
        bits = self.isa if isa is None else isa
        request = interface.Request(bits, rows, columns, nnz, batch, required)
        least = ctypes.c_double()
        number = self._c.ck_choose(ctypes.byref(request), ctypes.byref(least))
        name = None if number == DECLINE else self.kernels[number].name
        return Choice(name, least.value)

    def weights(self, source: bytes | Weights) -> SparseWeights:
        """Checked weights, from a CKSB blob or an int8 matrix [rows, columns].

        Raises:
            BundleError: the blob is damaged.
            InputError: the matrix cannot be used.
        """
        return SparseWeights(self._c, source)

    def pack(
        self,
        weights: SparseWeights,
        kernel: str,
        scale: Vector | None = None,
        bias: Vector | None = None,
    ) -> PackedMatrix:
        """The weights in the layout of a kernel, with scale and bias per row.

        None stands for the blob's own, and for 1 and 0 where it has none.

        A scale may leave out the rows without weights.

        Raises:
            InputError: no such kernel, or not on this CPU, or a vector that does not fit.
        """
        return PackedMatrix(self._c, weights, self.kernel(kernel).number, scale, bias)


@cache
def load() -> KernelLibrary:
    """The library for this machine, built if need be.

    Raises:
        RuntimeMissingError: there is no C compiler.
    """
    return KernelLibrary(build())


def _not_ours(path: Path, reason: str) -> InputError:
    return InputError(
        f"this is no library of capexport's kernels: {reason}",
        where=str(path),
        hint="build it again: capexport kernels build",
    )
