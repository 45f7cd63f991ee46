"""Names of the files in a bundle folder, and which names are allowed at all."""

import re

MANIFEST = "manifest.json"
VOCABULARY = "vocabulary.json"
CARD = "card.md"

ENCODER = "encoder"
DECODER_STEP = "decoder_step"
GRAPHS = (ENCODER, DECODER_STEP)

GRAPH_SUFFIXES = {"litert": ".tflite", "onnxruntime": ".onnx"}
"""File suffix of the graphs that a runtime opens."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def graph_file(runtime: str, graph: str) -> str:
    """Name of the file that holds `graph` (ENCODER or DECODER_STEP) for `runtime`."""
    return graph + GRAPH_SUFFIXES[runtime]


def is_plain_name(name: str) -> bool:
    """Whether `name` stays inside the folder on every file system: no separator, no first dot."""
    return _PLAIN_NAME.fullmatch(name) is not None
