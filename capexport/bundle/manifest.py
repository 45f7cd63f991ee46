"""What a bundle says about itself, as plain types."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from capexport.bundle.layout import GRAPHS, graph_file
from capexport.spec.decoding import Decoding
from capexport.spec.image import ImageSpec
from capexport.spec.signature import CaptionerSignature
from capexport.spec.vocabulary import Vocabulary

SCHEMA = 2
"""Version of the bundle format that this code writes; it reads this one and older ones."""


@dataclass(frozen=True)
class BundleFile:
    """A file of the bundle: its size in bytes and the sha256 of its contents in hexadecimal."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Everything about a bundle except the contents of its graph files.

    Args:
        architecture: canonical name of the captioner, such as `up_down_lstm`.
        lineage: whose trainer wrote the checkpoint.
        signature: names, shapes and dtypes of the two graphs.
        vocabulary: pieces in id order; stored in a file of its own.
        decoding: token ids and limits of the search.
        recipe: name of the quantization recipe of "encoder" and of "decoder".
        weights: how sparse weights are stored, "dense", "stock-sparse" or "packed".
        runtimes: names of the runtimes whose graph files are in the bundle, sorted.
        minimum_runtime: oldest version of a runtime that opens its graph files.
        provenance: JSON values; "capexport" is the version that wrote the bundle.
        image: how a picture becomes the encoder's input; None when that is region features.
        files: every file but the manifest, by name; empty until the bundle is created.
    """

    architecture: str
    lineage: str
    signature: CaptionerSignature
    vocabulary: Vocabulary
    decoding: Decoding
    recipe: Mapping[str, str]
    weights: str
    runtimes: tuple[str, ...]
    minimum_runtime: Mapping[str, str]
    provenance: Mapping[str, Any]
    image: ImageSpec | None = None
    files: tuple[BundleFile, ...] = ()

    @property
    def graph_files(self) -> tuple[str, ...]:
        """Names of the graph files that `runtimes` promises."""
        return tuple(graph_file(runtime, graph) for runtime in self.runtimes for graph in GRAPHS)
