"""Captions of the table captioner in Python, for every kind of decoding rule."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from android_goldens import table_captioner

from capexport.runtime import Features, Session, caption
from capexport.spec.decoding import Decoding

EOS, UNK = 3, 1
RULES = (
    {},
    {"suppress_unk": True, "max_length": 7},
    {"max_length": 1},
    {"refill": True},
    {"refill": True, "length_penalty": 1.0},
    {"refill": True, "length_penalty": -1.3, "suppress_unk": True},
    {"refill": True, "length_penalty": 0.7, "early_stopping": True},
)
BEAMS = (1, 2, 3, 5, table_captioner.WORDS)
TABLES = 4


def write(folder: Path) -> None:
    """searches.json, and the bundles and tables that it names."""
    (folder / "searches.json").write_text(json.dumps(list(_cases(folder))))


def _cases(folder: Path) -> Iterator[dict[str, object]]:
    tables = [table_captioner.table(seed, EOS) for seed in range(TABLES)]
    for seed, log_probs in enumerate(tables):
        (folder / f"table{seed}.f32").write_bytes(log_probs.astype(">f4").tobytes())
    for number, rule in enumerate(RULES):
        options = {"max_length": table_captioner.MOST_STEPS, "suppress_unk": False, **rule}
        decoding = Decoding(bos=2, eos=EOS, pad=0, unk=UNK, beam=2, **options)
        bundle = table_captioner.write_bundle(folder / f"search{number}", decoding)
        for seed, log_probs in enumerate(tables):
            decoder = table_captioner.Decoder(log_probs)
            session = Session(bundle, table_captioner.Encoder(), decoder)
            for beam in BEAMS:
                regions, start = 1 + seed, 5 * seed + beam
                names = {"bundle": f"search{number}", "table": f"table{seed}.f32"}
                inputs = {"beam": beam, "regions": regions, "start": start}
                yield {**names, **inputs, **_caption(session, regions, start, beam)}


def _caption(session: Session, regions: int, start: int, beam: int) -> dict[str, object]:
    att = np.zeros((regions, 2), np.float32)
    att[0, 0] = start
    found = caption(session, Features(att, att.mean(0)), beam)
    bits = int(np.float32(found.log_prob).view(np.int32))
    return {"tokens": found.tokens, "log_prob_bits": bits, "text": found.text}
