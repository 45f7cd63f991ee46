"""Products with sparse int8 weights: C sources, the library built from them, and a view of it."""

from capexport.kernels.build import build
from capexport.kernels.library import Choice, Kernel, KernelLibrary, load
from capexport.kernels.litert import LayerReport, litert_delegate, read_report
from capexport.kernels.matrix import PackedMatrix, SparseWeights
from capexport.kernels.selftest import Check, self_test
from capexport.kernels.targets import TARGETS, Target

__all__ = [
    "TARGETS",
    "Check",
    "Choice",
    "Kernel",
    "KernelLibrary",
    "LayerReport",
    "PackedMatrix",
    "SparseWeights",
    "Target",
    "build",
    "litert_delegate",
    "load",
    "read_report",
    "self_test",
]
