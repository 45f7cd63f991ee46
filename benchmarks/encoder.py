"""Image encoders: int8 against float in both runtimes, against a published file, and its quality.

python benchmarks/encoder.py ENCODER --calibration FOLDER --pictures FOLDER [--original X.tflite]
prints Markdown; ENCODER is what `capexport export --encoder` takes. With `--largest 56,28,14` it
prints what leaving convolutions over larger images float costs and brings, and nothing else.

Thread CPU time, one thread, all cells in turn within each round, ratios of medians. Cosines are of
all features of a picture, in int8 and in torch. No picture should be in both folders.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from ai_edge_litert.interpreter import Interpreter

from capexport.captioner import read_image_encoder
from capexport.captioner.encoders import ImageEncoder
from capexport.capture import capture
from capexport.compress.ranges import DEFAULT, RANGES
from capexport.compress.static import apply_static
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Array, Graph
from capexport.ir.passes import run_passes
from capexport.runtime.image import read_picture
from capexport.runtime.inputs import input_files
from capexport.spec.signature import TensorSpec
from capexport.writers import onnx, tflite

ROUNDS, WARM_UP = 60, 10
Run = Callable[[Array], Array]


def float_graph(encoder: ImageEncoder) -> Graph:
    cells = encoder.grid[0] * encoder.grid[1]
    image = TensorSpec("image", encoder.image.shape, "uint8")
    features = TensorSpec("features", (cells, encoder.channels))
    return run_passes(capture(encoder.module, "encoder", [image], [features]))


def pictures(folder: Path, encoder: ImageEncoder, most: int) -> list[Array]:
    """Spread over the folder, when it has more than `most`."""
    files = input_files(folder, encoder.image)
    chosen = files[:: max(1, len(files) // most)][:most]
    return [read_picture(file, encoder.image).pixels for file in chosen]


# ------------------------------------------------------------ runtimes
def litert(interpreter: Interpreter) -> Run:
    interpreter.allocate_tensors()
    (given,), result = interpreter.get_input_details(), interpreter.get_output_details()[0]

    def run(image: Array) -> Array:
        interpreter.set_tensor(given["index"], image)
        interpreter.invoke()
        return interpreter.get_tensor(result["index"])

    return run


def in_litert(data: bytes) -> Run:
    return litert(Interpreter(model_content=data, num_threads=1))


def in_onnxruntime(data: bytes) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return lambda image: session.run(None, {"image": image})[0]


# ------------------------------------------------------------ tables
def median_times(cells: dict[str, Run], image: Array) -> dict[str, float]:
    """Milliseconds."""
    samples = np.empty((ROUNDS + WARM_UP, len(cells)))
    for sample in samples:
        for i, run in enumerate(cells.values()):
            start = time.thread_time()
            run(image)
            sample[i] = (time.thread_time() - start) * 1e3
    return dict(zip(cells, np.median(samples[WARM_UP:], 0), strict=True))


def print_times(cells: dict[str, Run], image: Array) -> None:
    medians = median_times(cells, image)
    print("| file | median ms | ratio to onnxruntime fp32 |")
    print("|---|---|---|")
    for name, ms in medians.items():
        print(f"| {name} | {ms:.2f} | {ms / medians['onnxruntime fp32']:.2f} |")


def print_quality(
    graph: Graph, samples: list[dict[str, Array]], test: list[Array], exact: list[Array]
) -> None:
    print("| range | bias | least cosine | median |")
    print("|---|---|---|---|")
    for method in RANGES:
        for corrected in (False, True):
            small = apply_static(graph, samples, method, correct_bias=corrected)
            run = in_litert(tflite.write(small))
            found = [
                cosine(run(image), features) for image, features in zip(test, exact, strict=True)
            ]
            bias = "corrected" if corrected else "as it was"
            print(f"| {method} | {bias} | {min(found):.4f} | {np.median(found):.4f} |")


def print_partly_float(
    graph: Graph,
    samples: list[dict[str, Array]],
    test: list[Array],
    exact: list[Array],
    sides: list[int],
) -> None:
    """Times are relative to the float file in the same runtime; errors are LiteRT's."""
    smalls = {"all int8": apply_static(graph, samples)}
    smalls |= {f"@{side}": apply_static(graph, samples, largest=side) for side in sides}
    graphs = {"fp32": graph, **smalls}
    cells = {f"{name} LiteRT": in_litert(tflite.write(one)) for name, one in graphs.items()}
    cells |= {f"{name} ORT": in_onnxruntime(onnx.write(one)) for name, one in graphs.items()}
    medians = median_times(cells, test[0])
    print("| recipe | .tflite MB | LiteRT | onnxruntime | error of features: mean | greatest |")
    print("|---|---|---|---|---|---|")
    for name, one in graphs.items():
        runs = [f"{name} {runtime}" for runtime in ("LiteRT", "ORT")]
        ratios = [medians[run] / medians[run.replace(name, "fp32", 1)] for run in runs]
        found = [
            np.linalg.norm(cells[runs[0]](image) - features) / np.linalg.norm(features)
            for image, features in zip(test, exact, strict=True)
        ]
        print(
            f"| {name} | {len(tflite.write(one)) / 1e6:.2f} | {ratios[0]:.2f} | {ratios[1]:.2f} "
            f"| {np.mean(found):.3f} | {np.max(found):.3f} |"
        )


def print_agreement(small: Graph, runs: list[Run], test: list[Array]) -> None:
    """Of whole int8 graphs: the oracle is slow, so of the first pictures only."""
    scale = small.quantization[
        next(node for node in reversed(small.nodes) if node.op == "dequantize").inputs[0]
    ].scale
    for name, run in zip(("LiteRT", "onnxruntime"), runs, strict=True):
        apart = [
            np.abs(run(image) - evaluate(small, {"image": image})["features"]) / scale
            for image in test[:3]
        ]
        share = np.mean([np.mean(steps > 0.5) for steps in apart])
        print(f"{name}: at most {np.max(apart):.0f} steps from the oracle, {share:.2%} of features")


def cosine(a: Array, b: Array) -> float:
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


def print_structure(data: bytes) -> None:
    interpreter = Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    names = [op["op_name"] for op in interpreter._get_ops_details()]
    pieces = names.count("DELEGATE")
    print(
        f"int8 .tflite: {len(data):,} bytes, {len(names) - pieces} operators, "
        f"{pieces} XNNPACK partition(s), {names.count('TRANSPOSE')} TRANSPOSE"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("encoder")
    parser.add_argument("--calibration", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--original", type=Path, help="A .tflite of uint8 images to race with.")
    parser.add_argument("--largest", default="", help="Sides of images, as behind @ in a recipe.")
    parser.add_argument("--most", type=int, default=32, help="Pictures of a folder to use.")
    given = parser.parse_args()
    encoder = read_image_encoder(given.encoder)
    graph = float_graph(encoder)
    samples = [{"image": i} for i in pictures(given.calibration, encoder, given.most)]
    test = pictures(given.pictures, encoder, given.most)
    with torch.no_grad():
        exact = [encoder.module(torch.from_numpy(image))[0].numpy() for image in test]
    if given.largest:
        sides = [int(side) for side in given.largest.split(",")]
        print_partly_float(graph, samples, test, exact, sides)
        return
    small = apply_static(graph, samples)
    files = {"fp32": (tflite.write(graph), onnx.write(graph))}
    files["int8"] = (tflite.write(small), onnx.write(small))
    print(f"{encoder.name}, {len(samples)} calibration pictures, {len(test)} others; {DEFAULT}\n")
    print_structure(files["int8"][0])
    runs = {f"LiteRT {name}": in_litert(data) for name, (data, _) in files.items()}
    runs |= {f"onnxruntime {name}": in_onnxruntime(data) for name, (_, data) in files.items()}
    print_agreement(small, [runs["LiteRT int8"], runs["onnxruntime int8"]], test)
    print()
    print_quality(graph, samples, test, exact)
    print()
    if given.original is not None:
        original = Interpreter(model_path=str(given.original), num_threads=1)
        runs["the original in LiteRT"] = litert(original)
    print_times(runs, test[0])


if __name__ == "__main__":
    main()
