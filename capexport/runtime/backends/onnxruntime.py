"""An .onnx file -> an open graph in ONNX Runtime, on the CPU."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capexport.errors import RuntimeMissingError
from capexport.kernels.build import build
from capexport.kernels.model_file import ModelFile, give_back_free_memory
from capexport.runtime.graph_runner import (
    Array,
    Installed,
    runtime_missing,
    unreadable_graph,
)

RUNTIME = "onnxruntime"
SEVERITY_FATAL = 4


def installed() -> Installed:
    """The installed package; RuntimeMissingError without it.

    Asked of the module, which a session needs next: importlib.metadata would take 1.6 MB.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise runtime_missing(RUNTIME) from error
    found = onnxruntime.__version__
    return Installed(RUNTIME, found, level=found)


def open_graph(path: Path, threads: int, *, packed: bool = False) -> "OnnxRuntimeGraph":
    """The graph in `path`; RuntimeMissingError or BundleError when it cannot be opened.

    Args:
        packed: the weights are for the project's kernels, which are then built if need be.
    """
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as faults
    except ImportError as error:
        raise runtime_missing(RUNTIME) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = SEVERITY_FATAL
    weights = None
    if packed:
        file = ModelFile(_register_operators(options, faults.Fail), path)
        weights = MappedWeights(file, options, onnxruntime.OrtValue)
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except (
        faults.Fail,
        faults.InvalidArgument,
        faults.InvalidGraph,
        faults.InvalidProtobuf,
        faults.NotImplemented,
        faults.RuntimeException,
    ) as error:
        raise unreadable_graph(path, RUNTIME, error) from error
    if weights:
        give_back_free_memory()
    return OnnxRuntimeGraph(session, weights)


def _register_operators(options: Any, fault: type[Exception]) -> Path:
    """Make the operators for packed weights known: their library. `fault` is what onnxruntime
    raises."""
    library = build(product=RUNTIME)
    try:
        options.register_custom_ops_library(str(library))
    except fault as error:
        raise RuntimeMissingError(
            f"{RUNTIME} cannot load the kernels for packed weights: {error}",
            where=str(library),
            hint="delete that file so that it is built again, or export with --weights dense",
        ) from error
    return library


class MappedWeights:
    """Packed weights for a session that is about to be opened, which then keeps no copy of them:
    they must outlive it."""

    def __init__(self, file: ModelFile, options: Any, ort_value: Any) -> None:
        self._file = file
        self._values = [ort_value.ortvalue_from_numpy(blob) for blob in file.blobs.values()]
        for name, value in zip(file.blobs, self._values, strict=True):
            options.add_initializer(name, value)


class OnnxRuntimeGraph:
    """An inference session bound by names."""

    def __init__(self, session: Any, weights: MappedWeights | None) -> None:
        self._session = session
        self._weights = weights  # gone after the session: attributes go in their order
        self._outputs = [output.name for output in session.get_outputs()]

    @property
    def input_names(self) -> frozenset[str]:
        return frozenset(given.name for given in self._session.get_inputs())

    @property
    def output_names(self) -> frozenset[str]:
        return frozenset(self._outputs)

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by name."""
        outputs = self._session.run(self._outputs, dict(inputs))
        return dict(zip(self._outputs, outputs, strict=True))
