"""Where an image encoder's time goes in onnxruntime, float against static int8, by kind of layer.

python benchmarks/encoder_profile.py ENCODER    prints a Markdown table

onnxruntime's own profile, one thread: of every operator the least of 40 runs, summed by kind. The
image is noise and so is what it is calibrated on: neither changes a time.
"""

import argparse
import json
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnx as onnx_package
import onnxruntime
from encoder import float_graph

from capexport.captioner import read_image_encoder
from capexport.compress.static import apply_static
from capexport.ir.graph import Array
from capexport.writers import onnx

RUNS = 40
KINDS = ("first convolution", "depthwise", "pointwise and others", "no convolution")
ENDING = "_kernel_time"


def microseconds(data: bytes, image: Array) -> Counter[str]:
    """By kind; sums of the least times of its operators."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # it warns that the optimised file is for this machine
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder, "profile"))
        options.optimized_model_filepath = str(Path(folder, "optimised.onnx"))
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        for _ in range(RUNS):
            session.run(None, {"image": image})
        events = json.loads(Path(session.end_profiling()).read_text())
        kinds = kinds_of(onnx_package.load(options.optimized_model_filepath))
    least: dict[str, int] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(ENDING):
            name = event["name"].removesuffix(ENDING)
            least[name] = min(least.get(name, event["dur"]), event["dur"])
    spent: Counter[str] = Counter()
    for name, duration in least.items():
        spent[kinds[name]] += duration
    return spent


def kinds_of(model: onnx_package.ModelProto) -> dict[str, str]:
    """One of KINDS for every operator that runs."""
    kinds, found = {}, False
    for node in model.graph.node:
        groups = next((a.i for a in node.attribute if a.name == "group"), 1)
        if "Conv" not in node.op_type:
            kind = KINDS[3]
        elif not found:
            kind, found = KINDS[0], True
        else:
            kind = KINDS[1] if groups > 1 else KINDS[2]
        kinds[node.name] = kind
    return kinds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder")
    encoder = read_image_encoder(parser.parse_args().encoder)
    graph = float_graph(encoder)
    image = np.random.default_rng(0).integers(0, 256, encoder.image.shape, np.uint8)
    small = apply_static(graph, [{"image": image}])
    exact, int8 = (microseconds(onnx.write(g), image) for g in (graph, small))
    print(f"| {encoder.name}, ms | fp32 | int8 | ratio |\n|---|---|---|---|")
    for kind in KINDS:
        print_row(kind, exact[kind], int8[kind])
    print_row("all", exact.total(), int8.total())


def print_row(kind: str, exact: int, int8: int) -> None:
    print(f"| {kind} | {exact / 1e3:.2f} | {int8 / 1e3:.2f} | {int8 / exact:.2f} |")


if __name__ == "__main__":
    main()
