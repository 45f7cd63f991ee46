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
COUNTED = replace(
    REPORT,
    kind="emulated-counts",
    latency_ms={},
    memory={},
    counts={"encoder": {"instructions": 5}},
)
