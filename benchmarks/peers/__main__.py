"""One decoder step in every runtime: size, time, error and memory of ours beside its peers.

python benchmarks/peers CHECKPOINT FEATURES.npz    prints a Markdown table

Each peer lives in a virtual environment of its own and runs in a process of its own. The processes
take turns within each round; a time is the median over rounds, a ratio the median over rounds of
the time by that of ONNX Runtime fp32 in the same round.
"""

import argparse
import sys
from pathlib import Path

from contenders import BASE, CONTENDERS, Contender
from environments import TORCH, Environments
from preparing import prepare
from rounds import Entry, measure, start
from subject import write_subject
from table import lines


def main() -> None:
    given = arguments()
    print("preparing the model", flush=True)
    facts = write_subject(given.checkpoint, given.features, given.cache / "models")
    environments = Environments(given.cache / "environments", given.torch)
    entries = []
    for contender in chosen(given.only):
        print(f"preparing {contender}", flush=True)
        entries.append(entry(contender, environments, given.cache / "models"))
    if failure := entries[0].failure:
        sys.exit(f"{BASE}, which all ratios need, failed: {failure}")
    measure(entries, given.rounds)
    print("", facts, "", *lines(entries), sep="\n")


def entry(contender: Contender, environments: Environments, models: Path) -> Entry:
    """A running process with the model open, or the reason why there is none."""
    if failure := prepare(contender, environments, models):
        return Entry(contender, failure=failure)
    return start(contender, environments.python(contender.environment), models)


def chosen(only: str) -> list[Contender]:
    """The base is always there: ratios need it."""
    return [c for c in CONTENDERS if c is BASE or only.lower() in str(c).lower()]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("features", type=Path, help="the image with most regions is taken")
    parser.add_argument(
        "--cache", type=Path, default=Path("build/peers"), help="environments and model files"
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="contenders with this text in their names")
    parser.add_argument("--torch", default=TORCH, help="what pip is told to get a CPU torch")
    return parser.parse_args()


if __name__ == "__main__":
    main()
