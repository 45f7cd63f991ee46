"""What captioning takes of a machine: bytes of files and of memory, dense beside packed.

    python benchmarks/footprint.py CHECKPOINT...    prints a Markdown table

Memory is what the kernel of an emulated arm64 machine (4 KiB pages) counts of the C runner, with
glibc, runtime and operators in it: `capexport devices --install all` fetches the parts. "own" is of
no file: what a runtime packs and its heap. Greedy search, made-up features of 36 regions. MB are
10^6 bytes.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from capexport.bench import Report, Settings, bench
from capexport.bench.card import table
from capexport.export import export

FORMS = ("dense", "packed")
"""Of the recipe `dynamic_wi8`."""
RUNTIMES = ("litert", "onnxruntime")
DEVICE = "qemu-system:cortex-a76"
COLUMNS = {
    "model": "model",
    "model_gzip": "gzip",
    "model_zstd": "zstd",
    "apk": ".apk",
    "operators": "operators",
    "runtime": "runtime's library",
    "mapped": "mapped",
}
"""Of a report's footprint."""
MEMORY = {
    "own_opened_kib": "own, opened",
    "own_end_kib": "own",
    "pss_kib": "PSS",
    "peak_rss_kib": "most resident",
}


def megabytes(amount: float) -> str:
    return f"{amount / 1e6:.2f}" if amount < 1e6 else f"{amount / 1e6:.1f}"


def cells(report: Report) -> Iterator[str]:
    """Numbers of a report; of an unexpected caption none."""
    if not report.valid:
        raise SystemExit("; ".join(report.doubts))
    for section, names, unit in (
        (report.footprint_bytes, COLUMNS, 1),
        (report.memory, MEMORY, 1024),
    ):
        amounts: Mapping[str, int] = section
        for name in names:
            yield megabytes(amounts[name] * unit) if name in amounts else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="CHECKPOINT")
    parser.add_argument("--device", default=DEVICE)
    given = parser.parse_args()
    names = ("checkpoint", "form", "runtime", *COLUMNS.values(), *MEMORY.values())
    print(table(names, ()), flush=True)
    for checkpoint in given.checkpoints:
        for weights in FORMS:
            with tempfile.TemporaryDirectory() as folder:
                bundle = export(checkpoint, Path(folder, "bundle"), weights=weights)
                for runtime in RUNTIMES:
                    settings = Settings(runtime, beam=1, rounds=1, samples=1, warm_up=1)
                    report = bench(bundle, given.device, settings)
                    row = (checkpoint.name, f"int8 {weights}", runtime, *cells(report))
                    print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
