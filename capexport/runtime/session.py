"""Bundle + runtime -> a session: encode an image once, then step the decoder."""

from collections.abc import Mapping, Sequence

import numpy as np

from capexport.bundle import DECODER_STEP, ENCODER, Bundle, graph_file
from capexport.errors import BundleError, InputError, RuntimeMissingError
from capexport.runtime.backends import backend
from capexport.runtime.graph_runner import Array, GraphRunner, Installed, release
from capexport.runtime.states import Tensors, initial_states, next_states
from capexport.spec.decoding import Decoding
from capexport.spec.signature import LOG_PROBS, TOKEN, CaptionerSignature, TensorSpec
from capexport.spec.vocabulary import Vocabulary

MOST_THREADS = 256
"""No host that captions has more cores. At 100,000 LiteRT crashes and ONNX Runtime hangs."""


class Session:
    """The two graphs of a bundle in one runtime. Every call checks its inputs by the manifest."""

    def __init__(self, bundle: Bundle, encoder: GraphRunner, decoder_step: GraphRunner) -> None:
        self.signature: CaptionerSignature = bundle.manifest.signature
        self.vocabulary: Vocabulary = bundle.manifest.vocabulary
        self.decoding: Decoding = bundle.manifest.decoding
        self._encoder, self._decoder_step = encoder, decoder_step
        self._starts = {state.start for state in self.signature.states}

    def encode(self, inputs: Tensors) -> dict[str, Array]:
        """What the decoder needs of one image, by name: the memory, and what states start from.

        Raises:
            InputError: an input is missing, unknown, or of another shape or dtype than declared.
        """
        check_inputs(self.signature.inputs, inputs)
        return self._encoder.run(inputs)

    def initial_states(self, beams: int, encoded: Tensors) -> dict[str, Array]:
        """Every state before the first step, [beams, ...]; `encoded` is what `encode` returned."""
        return initial_states(self.signature.states, beams, encoded)

    def step(
        self, token: Array, states: Tensors, encoded: Tensors
    ) -> tuple[Array, dict[str, Array]]:
        """One token for every beam.

        Args:
            token: int32 [beams], each below the vocabulary size.
            states: by state name, [beams, ...]; `initial_states` or the result of the last step.
            encoded: what `encode` returned.

        Returns:
            log-probabilities float32 [beams, vocabulary], and the next states by state name.

        Raises:
            InputError: inputs do not fit the manifest, the model overflows on them, or more steps
                are made than a cache holds.
        """
        memory = {name: array for name, array in encoded.items() if name not in self._starts}
        inputs = {TOKEN: token, **states, **memory}
        check_inputs(self.signature.step_inputs, inputs)
        self._check_tokens(token)
        outputs = self._decoder_step.run(inputs)
        log_probs = outputs[LOG_PROBS]
        if np.isnan(log_probs).any():
            raise InputError(
                "the model returns NaN",
                where=LOG_PROBS,
                hint="features must be scaled as those the model was trained on",
            )
        return log_probs, next_states(self.signature.states, states, outputs)

    def _check_tokens(self, token: Array) -> None:
        """An index outside the embedding table is undefined behaviour in some runtimes."""
        size = self.signature.vocabulary_size
        if token.min() < 0 or token.max() >= size:
            raise InputError(
                f"a token is outside 0 to {size - 1}",
                where=TOKEN,
                hint="use ids of this bundle's vocabulary",
            )


def open_session(bundle: Bundle, runtime: str, threads: int = 1) -> Session:
    """Open both graphs of `bundle` in `runtime`, one of RUNTIMES.

    Raises:
        InputError: no such runtime, no graphs for it in the bundle, or a number of threads that is
            not from 1 to MOST_THREADS.
        RuntimeMissingError: the runtime is not installed or older than the bundle needs.
        BundleError: a graph does not open, or its inputs and outputs are not the manifest's.
    """
    chosen = backend(runtime)
    if runtime not in bundle.manifest.runtimes:
        raise InputError(
            f"the bundle has no graphs for {runtime}",
            where=str(bundle.path),
            hint=f"use {' or '.join(bundle.manifest.runtimes)}, or export it with --format both",
        )
    if not 1 <= threads <= MOST_THREADS:
        raise InputError(
            f"{threads} threads are asked for",
            where="threads",
            hint=f"use from 1 to {MOST_THREADS}, no more than there are cores",
        )
    _check_version(runtime, chosen.installed(), bundle.manifest.minimum_runtime)
    packed = bundle.manifest.weights == "packed"
    graphs = {
        graph: chosen.open_graph(bundle.file(graph_file(runtime, graph)), threads, packed=packed)
        for graph in (ENCODER, DECODER_STEP)
    }
    signature = bundle.manifest.signature
    _check_names(graphs[ENCODER], ENCODER, signature.inputs, signature.encoder_outputs)
    _check_names(graphs[DECODER_STEP], DECODER_STEP, signature.step_inputs, signature.step_outputs)
    return Session(bundle, graphs[ENCODER], graphs[DECODER_STEP])


def check_inputs(specs: Sequence[TensorSpec], inputs: Tensors) -> None:
    """Raise InputError unless `inputs` has every spec's name, no other, and each fits its spec.

    An axis that has a name must be of the same length in all inputs, and not empty.
    """
    expected = {spec.name for spec in specs}
    if unknown := sorted(set(inputs) - expected):
        raise InputError(
            f"there is no input {unknown[0]!r}",
            where=f"input {unknown[0]}",
            hint=f"the inputs are {', '.join(sorted(expected))}",
        )
    axes: dict[str, int] = {}
    for spec in specs:
        if spec.name not in inputs:
            raise InputError(
                f"the input {spec.name} is missing",
                where=f"input {spec.name}",
                hint=f"give it as {_described(spec.dtype, spec.shape)}",
            )
        if not _fits(spec, inputs[spec.name], axes):
            array = inputs[spec.name]
            raise InputError(
                f"{spec.name} must be {_described(spec.dtype, spec.shape)}, "
                f"it is {_described(array.dtype.name, array.shape)}",
                where=f"input {spec.name}",
                hint=_axes_hint(axes),
            )


def _fits(spec: TensorSpec, array: Array, axes: dict[str, int]) -> bool:
    """Whether the array has the spec's dtype and shape; records the length of each new axis."""
    if array.dtype.name != spec.dtype or array.ndim != len(spec.shape):
        return False
    for dimension, length in zip(spec.shape, array.shape, strict=True):
        wanted = axes.setdefault(dimension, length) if isinstance(dimension, str) else dimension
        if length != wanted or length == 0:
            return False
    return True


def _described(dtype: str, shape: Sequence[object]) -> str:
    return f"{dtype} [{', '.join(str(dimension) for dimension in shape)}]"


def _axes_hint(axes: Mapping[str, int]) -> str:
    lengths = ", ".join(f"{name} = {length}" for name, length in axes.items())
    hint = "nothing is cast or reshaped silently: make the array fit"
    return f"{hint}; axes given: {lengths}" if lengths else hint


def _check_names(
    graph: GraphRunner, name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> None:
    for kind, specs, present in (
        ("inputs", inputs, graph.input_names),
        ("outputs", outputs, graph.output_names),
    ):
        expected = {spec.name for spec in specs}
        if expected != present:
            raise BundleError(
                f"the {kind} are {sorted(present)}, the manifest says {sorted(expected)}",
                where=f"graph {name}",
                hint="export the bundle again",
            )


def _check_version(runtime: str, installed: Installed, minimum: Mapping[str, str]) -> None:
    needed = minimum.get(runtime)
    if needed is not None and release(installed.level) < release(needed):
        raise RuntimeMissingError(
            f"{installed} is installed, the bundle needs {runtime} {needed} or later",
            where=runtime,
            hint=f"pip install --upgrade 'capexport[{runtime}]'",
        )
