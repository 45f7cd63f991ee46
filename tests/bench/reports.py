"""Reports made by hand: one of a device whose time counts, one of an emulator."""

from dataclasses import replace

from capexport.bench.report import Report

REPORT = Report(
    kind="measured-host",
    device={"name": "host", "cores": 2, "core_names": {"Core": 2}},
    bundle_sha256="ab" * 32,
    settings={"runtime": "litert", "beam": 2, "threads": 1, "input": "photo.jpg"},
    output={"tokens": [4, 3], "log_prob": -0.5, "text": "dog", "steps": 2, "as_expected": True},
    latency_ms=dict.fromkeys(("encoder", "decoder_step", "caption"), ((1.0, 2.0), (3.0,))),
    memory={"peak_rss_kib": 100},
    footprint_bytes={"model": 10},
)
LAYERS = [
    {
        "graph": "encoder",
        "name": "att_embed.weight",
        "shape": [8, 100],
        "nnz": 80,
        "sparsity": 0.9,
        "stored_bytes": 150,
        "bound_bytes": 127,
    },
    {
        "graph": "decoder_step",
        "name": "logit.weight",
        "shape": [10, 8],
        "nnz": 80,
        "sparsity": 0.0,
        "bound_bytes": 80,
    },
]
QUALITY = {
    "split": "test",
    "images": 210,
    "beam": 1,
    "tokenizer": "words",
    "metrics": {"BLEU-4": 0.25, "CIDEr-D": 1.5},
    "cider_95": [1.25, 1.75],
    "skipped": {"SPICE": "no Java"},
}
KNOWN = replace(
    REPORT,
    footprint_bytes={"encoder": 300, "decoder_step": 200, "model": 600},
    weights={"parameters": 880, "nnz": 160, "layers": LAYERS},
    quality=QUALITY,
)
"""One of a bundle whose export noted its matrices, and that was evaluated."""
TIMED = replace(
    KNOWN,
    layers_ms={
        "encoder": {
            "call_ms": 4.0,
            "calls": 31,
            "operators": [
                {
                    "name": "att",
                    "operator": "SparseInt8MatMul",
                    "layer": "att_embed.weight",
                    "p50_ms": 1.5,
                    "share": 0.75,
                },
                {"name": "", "operator": "XNNPACK: Add (ND)", "p50_ms": 0.5, "share": 0.25},
            ],
        }
    },
)
"""One in which the runtime timed its operators."""
COUNTED = replace(
    REPORT,
    kind="emulated-counts",
    latency_ms={},
    memory={},
    counts={"encoder": {"instructions": 5}},
)
