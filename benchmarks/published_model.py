"""Recipes x weight forms of one checkpoint: bytes, log-prob error and captions kept, per runtime.

python benchmarks/published_model.py CHECKPOINT FEATURES.npz    prints a Markdown table
"""

import argparse
import tempfile
from pathlib import Path

from capexport.checkpoint import read_checkpoint
from capexport.evaluate.parity import verify
from capexport.export import export

CELLS = (
    ("fp32", "dense"),
    ("fp32", "stock-sparse"),
    ("weight_only_wi8", "dense"),
    ("weight_only_wi8", "stock-sparse"),
    ("dynamic_wi8", "dense"),
    ("dynamic_wi8", "stock-sparse"),
    ("dynamic_wi8", "packed"),
)
SUFFIXES = {"litert": ".tflite", "onnxruntime": ".onnx"}


def rows(checkpoint: Path, features: Path, recipe: str, weights: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        bundle = export(checkpoint, Path(folder) / "bundle", recipe=recipe, weights=weights)
        report = verify(checkpoint, bundle.path, features)
    lines = []
    for runtime, parity in report["runtimes"].items():
        size = sum(f.bytes for f in bundle.manifest.files if f.name.endswith(SUFFIXES[runtime]))
        identical = f"{parity['captions_identical']} of {parity['captions_total']}"
        errors = [parity[f"{kind}_abs_log_prob_error"] for kind in ("max", "mean")]
        cells = (recipe, weights, runtime, f"{size / 1e6:.3f}", *(f"{e:.2g}" for e in errors))
        lines.append(f"| {' | '.join(cells)} | {identical} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("features", type=Path)
    given = parser.parse_args()
    source = read_checkpoint(given.checkpoint)
    bound = source.size_bound_bytes()
    print(
        f"{source.parameters:,} parameters, {source.nnz:,} non-zeros; "
        f"file {source.bytes_on_disk:,} bytes, bound int8 {bound['int8']:,}, int4 {bound['int4']:,}"
    )
    print("\n| recipe | weights | runtime | MB | max error, nats | mean | captions identical |")
    print("|---|---|---|---|---|---|---|")
    for recipe, weights in CELLS:
        print(*rows(given.checkpoint, given.features, recipe, weights), sep="\n", flush=True)


if __name__ == "__main__":
    main()
