"""Bundle + settings + inputs -> the text and the files that the runner reads.

`runner/description.c` reads the lines in this order; there is no parser of JSON on a device.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from capexport.bench.settings import Settings
from capexport.bundle import DECODER_STEP, ENCODER, Bundle, graph_file
from capexport.errors import UnsupportedError
from capexport.runtime.graph_runner import Array
from capexport.spec.decoding import Decoding
from capexport.spec.signature import APPENDED, COUNTED, REPLACED, StateSpec

FORMAT = 1
UPDATES = (REPLACED, APPENDED, COUNTED)
"""In the order of the runner's numbers for them."""
LONGEST_NAME = 127

Line = tuple[str, object]


def describe(
    bundle: Bundle,
    settings: Settings,
    inputs: Mapping[str, Array],
    *,
    library: str,
    operators: str,
    counting: bool = False,
    profiled: int = 0,
) -> str:
    """The description of one round; paths are relative to the runner's folder.

    Args:
        inputs: of the encoder, by name; the data of number i are in the file `input_file(i)`.
        library: the runtime, operators: our library for it or "".
        counting: instructions are counted from outside, and no clock is read.
        profiled: calls of each graph whose operators the runtime times, in place of a measurement.

    Raises:
        UnsupportedError: a name cannot be written on a line.
    """
    signature, decoding = bundle.manifest.signature, bundle.manifest.decoding
    lines: list[Line] = [
        ("capexport-bench", FORMAT),
        ("runtime", settings.runtime),
        ("library", library),
        ("operators", operators),
        ("encoder", graph_file(settings.runtime, ENCODER)),
        ("decoder_step", graph_file(settings.runtime, DECODER_STEP)),
        ("threads", settings.threads),
        ("beam", settings.beam),
        ("warm_up", settings.warm_up),
        ("least_samples", settings.samples_a_round),
        ("least_ms", settings.ms_a_round),
        ("counting", int(counting)),
        ("profiled", profiled),
        ("vocabulary", signature.vocabulary_size),
        *_decoding(decoding),
        ("inputs", len(inputs)),
        *(
            line
            for i, (name, array) in enumerate(inputs.items())
            for line in _input(i, name, array)
        ),
        ("memories", len(signature.memory)),
        *(("memory", spec.name) for spec in signature.memory),
        ("states", len(signature.states)),
        *(line for spec in signature.states for line in _state(spec, settings.beam)),
    ]
    return "".join(f"{key} {_checked(key, value)}\n" for key, value in lines)


def input_file(number: int) -> str:
    """Name of the file with the raw bytes of the encoder's input of that number."""
    return f"input_{number}.bin"


def write_inputs(inputs: Mapping[str, Array], folder: Path) -> dict[str, Path]:
    """Write the files that a description names: row by row, little-endian."""
    files = {}
    for number, array in enumerate(inputs.values()):
        path = folder / input_file(number)
        path.write_bytes(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        files[path.name] = path
    return files


def _checked(key: str, value: object) -> object:
    if isinstance(value, str) and ("\n" in value or len(value.encode()) > LONGEST_NAME):
        raise UnsupportedError(
            f"{value!r} cannot be written in the runner's description",
            where=key,
            hint=f"names are one line of at most {LONGEST_NAME} bytes",
        )
    return value


def _decoding(decoding: Decoding) -> Iterator[Line]:
    yield "bos", decoding.bos
    yield "eos", decoding.eos
    yield "unk", -1 if decoding.unk is None else decoding.unk
    yield "max_length", decoding.max_length
    yield "suppress_unk", int(decoding.suppress_unk)
    yield "refill", int(decoding.refill)
    yield "early_stopping", int(decoding.early_stopping)
    yield "length_penalty", decoding.length_penalty


def _shape(dtype: str, shape: Sequence[int]) -> Iterator[Line]:
    yield "type", dtype
    yield "rank", len(shape)
    for length in shape:
        yield "length", length


def _input(number: int, name: str, array: Array) -> Iterator[Line]:
    yield "input", name
    yield from _shape(array.dtype.name, array.shape)
    yield "data", input_file(number)


def _state(spec: StateSpec, beam: int) -> Iterator[Line]:
    yield "state", spec.name
    yield from _shape(spec.dtype, [beam if isinstance(d, str) else d for d in spec.shape])
    yield "update", UPDATES.index(spec.update)
    yield "next", spec.next_name
    yield "rows", spec.rows
    yield "start", spec.start or ""
