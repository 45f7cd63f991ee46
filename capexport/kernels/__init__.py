"""Products with sparse int8 weights: C sources, the library built from them, and a view of it."""

from capexport.kernels.build import build
from capexport.kernels.library import Choice, Kernel, KernelLibrary, load
from capexport.kernels.matrix import PackedMatrix, SparseWeights
from capexport.kernels.selftest import Check, self_test
from capexport.kernels.targets import TARGETS, Target

__all__ = [
    "TARGETS",
    "Check",
    "Choice",
    "Kernel",
    "KernelLibrary",
    "PackedMatrix",
    "SparseWeights",
    "Target",
    "build",
    "load",
    "self_test",
]
