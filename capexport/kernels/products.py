"""The files that are built from the C sources: one row of data each."""

from dataclasses import dataclass

HIDE_THE_KERNELS = "-DCK_API="
"""Makes a library export its own entry points only."""


@dataclass(frozen=True)
class Product:
    """What is compiled into one file.

    Args:
        file: name of the result.
        folders: of `capexport/kernels`, or whole paths, whose C files go into it.
        flags: for the compiler, besides those that every product gets.
        libraries: that it is linked to, besides the C library and its mathematical part.
        is_program: it has a `main`; otherwise it is a shared library.
    """

    file: str
    folders: tuple[str, ...]
    flags: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    is_program: bool = False


LITERT = ("src", "adapters/litert", "adapters/litert_compiled_model")
ONNXRUNTIME = ("src", "adapters/onnxruntime", "adapters/onnxruntime_ep")
CAPTIONER = (*LITERT, "adapters/onnxruntime", "adapters/onnxruntime_session", "jni")

PRODUCTS = {
    "kernels": Product("libcapexport_kernels.so", ("src",)),
    "litert": Product("libcapexport_litert.so", LITERT, (HIDE_THE_KERNELS,), ("dl", "pthread")),
    "onnxruntime": Product("libcapexport_onnxruntime.so", ONNXRUNTIME, (HIDE_THE_KERNELS,)),
    "captioner": Product(
        "libcapexport_captioner.so", CAPTIONER, (HIDE_THE_KERNELS,), ("dl", "pthread")
    ),
}
"""What `build` takes as `product`: the kernels themselves, the runtimes' way to them, and both
runtimes' for Java (android_demo)."""

CHECK = Product("capexport_kernels_check", ("src", "check"), is_program=True)
"""The program that compares every kernel which the CPU supports with a plain product."""

RUN_LITERT = Product(
    "capexport_run_litert", (*LITERT, "run_litert"), libraries=("dl", "pthread"), is_program=True
)
"""The program that runs a .tflite in LiteRT's compiled models, with nothing but C."""
