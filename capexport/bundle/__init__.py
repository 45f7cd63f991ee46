"""Graph files, vocabulary and decoding rule as one verified folder: the only thing a phone sees."""

from capexport.bundle.bundle import Bundle
from capexport.bundle.create import check_target, create_bundle
from capexport.bundle.layout import (
    CARD,
    DECODER_STEP,
    ENCODER,
    GRAPH_SUFFIXES,
    MANIFEST,
    VOCABULARY,
    graph_file,
)
from capexport.bundle.manifest import SCHEMA, BundleFile, Manifest
from capexport.bundle.open import open_bundle

__all__ = [
    "CARD",
    "DECODER_STEP",
    "ENCODER",
    "GRAPH_SUFFIXES",
    "MANIFEST",
    "SCHEMA",
    "VOCABULARY",
    "Bundle",
    "BundleFile",
    "Manifest",
    "check_target",
    "create_bundle",
    "graph_file",
    "open_bundle",
]
