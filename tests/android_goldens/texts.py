"""Vocabularies of every kind in bundles, random tokens, and their text in Python."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from placeholder_bundle import manifest

from capexport.bundle import create_bundle
from capexport.spec.vocabulary import BYTE_OF, BYTES, WORDPIECE, Radix, Vocabulary

CONTROL = ("<pad>", "<unk>", "<bos>", "<eos>")
SPOKEN = ("▁a", "▁dög", "cat@@", "▁", "", "x@@", "▁▁b", "😀", "\u00a0", 'q"uote', "tab\t", "end@@")
INNER = ("##s", "##", "#", ".", "?!", ", b", "n't", "'m", "'s", "'ves", "'re", "dog", "##.", "'")
RADIX = Radix(5, 2)
TEXTS = 60


def write(folder: Path) -> None:
    """texts.json, the bundles that it names, and canonical.txt."""
    cases = []
    for name, vocabulary in _vocabularies().items():
        bundle = f"texts_{name}"
        _write_bundle(folder / bundle, vocabulary)
        cases.append({"bundle": bundle, "texts": _texts(vocabulary)})
    (folder / "texts.json").write_text(json.dumps(cases))
    _write_canonical(folder / "canonical.txt")


def _vocabularies() -> dict[str, Vocabulary]:
    words = (*CONTROL, *SPOKEN)
    pairs = tuple(a + b for a in list(BYTE_OF)[::9] for b in list(BYTE_OF)[3::40])
    return {
        "words": Vocabulary(words),
        "continued": Vocabulary(words, continuation="@@", special=(5, 7)),
        "radix": Vocabulary((*words, *(f"▁w{i}" for i in range(12))), RADIX),
        "wordpiece": Vocabulary((*CONTROL, *INNER), joining=WORDPIECE, special=(1,)),
        "bytes": Vocabulary((*CONTROL, *BYTE_OF, *pairs), joining=BYTES),
    }


def _write_bundle(path: Path, vocabulary: Vocabulary) -> None:
    plain = manifest(("onnxruntime",))
    signature = replace(plain.signature, vocabulary_size=len(vocabulary))
    changed = replace(plain, signature=signature, vocabulary=vocabulary)
    graphs = {"encoder.onnx": b"e", "decoder_step.onnx": b"d"}
    create_bundle(path, changed, graphs, force=False)


def _texts(vocabulary: Vocabulary) -> list[dict[str, object]]:
    random = np.random.default_rng(1)
    decoding = manifest().decoding
    texts = []
    for number in range(TEXTS):
        ids = random.integers(0, len(vocabulary), number % 13).tolist()
        if number % 3:  # few captions end early
            ids = [4 if token == decoding.eos else token for token in ids]
        texts.append({"ids": ids, "text": vocabulary.text(ids, decoding)})
    return texts


def _write_canonical(path: Path) -> None:
    """A line of JSON, and the line that a checksum is taken of."""
    value = {
        "z": [1, -0.5, 1e-05, 1e22, True, None, {}, []],
        "ä\u2028": 'ü"\\/\b\f\n\r\t\x7f\x00',
        "\uff01": "😀",
        "😀": 0.1,
    }
    lines = (
        json.dumps(value, ensure_ascii=False),
        json.dumps(value, sort_keys=True, separators=(",", ":")),
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
