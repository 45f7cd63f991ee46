"""What each rule of the int8 recipes brings: mean log-prob error with and without it, numpy oracle.

python benchmarks/int8_rules.py CHECKPOINT FEATURES.npz    prints two Markdown tables

Errors are against PyTorch, along its greedy captions. The second table quantizes one weight at a
time, without the rules: it shows which layer costs what.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from capexport.captioner import Captioner, build_captioner
from capexport.captioner.search import greedy
from capexport.capture import capture_graphs
from capexport.checkpoint import read_checkpoint
from capexport.compress.rows import quantize_rows
from capexport.compress.split_concat import split_concat
from capexport.ir.evaluate import evaluate
from capexport.ir.graph import Constant, Graph, QuantParams
from capexport.ir.ops import DYNAMIC, FLOAT
from capexport.ir.passes import run_passes
from capexport.runtime import Features, read_features

Quantizer = Callable[[Constant], Constant]
Reference = tuple[list[int], np.ndarray]


def plain_rows(constant: Constant) -> Constant:
    """scale = max / 127, nothing else."""
    peak = np.abs(constant.data).max(1)
    scale = (np.where(peak > 0, peak, 127) / 127).astype(np.float32)
    data = np.rint(constant.data / scale[:, None]).astype(np.int8)
    return replace(constant, data=data, quantization=QuantParams(scale))


def weights(graph: Graph) -> list[str]:
    places = {"linear": 1, "embedding": 0}
    return [node.inputs[places[node.op]] for node in graph.nodes if node.op in places]


def quantized(graph: Graph, names: list[str], activations: str, quantizer: Quantizer) -> Graph:
    nodes = tuple(
        node.with_attributes(activations=activations)
        if node.op == "linear" and node.inputs[1] in names
        else node
        for node in graph.nodes
    )
    constants = {name: quantizer(graph.constants[name]) for name in names}
    return replace(graph.replace_constants(constants), nodes=nodes)


class Replay:
    """Mean error of two graphs along the reference captions."""

    def __init__(self, captioner: Captioner, images: Mapping[str, Features]) -> None:
        self._captioner, self._images = captioner, images
        self._references = {name: self._greedy(features) for name, features in images.items()}

    def _greedy(self, features: Features) -> Reference:
        tensors = (torch.from_numpy(features.att), torch.from_numpy(features.fc[None]))
        tokens, log_probs = greedy(self._captioner, *tensors)
        return [self._captioner.decoding.bos, *tokens[:-1]], log_probs.numpy()

    def error(self, encoder: Graph, step: Graph) -> float:
        specs = self._captioner.signature.states
        errors = []
        for name, features in self._images.items():
            memory = evaluate(encoder, {"att": features.att, "fc": features.fc[None]})
            states = {s.name: np.zeros((1, s.shape[1]), np.float32) for s in specs}
            tokens, reference = self._references[name]
            for token, expected in zip(tokens, reference, strict=True):
                given = {"token": np.array([token], np.int32), **states, **memory}
                outputs = evaluate(step, given)
                states = {s.name: outputs[s.next_name] for s in specs}
                errors.append(np.abs(outputs["log_probs"][0] - expected).mean())
        return float(np.mean(errors))


def rules_table(replay: Replay, encoder: Graph, step: Graph) -> None:
    print("| mean error, nats | plain | + split | + search |\n|---|---|---|---|")
    for label, activations in (("weight-only", FLOAT), ("dynamic", DYNAMIC)):
        cells = []
        for split, quantizer in ((False, plain_rows), (True, plain_rows), (True, quantize_rows)):
            graphs = [split_concat(g) if split else g for g in (encoder, step)]
            graphs = [quantized(g, weights(g), activations, quantizer) for g in graphs]
            cells.append(f"{replay.error(*graphs):.4f}")
        print(f"| {label} | {' | '.join(cells)} |", flush=True)


def layers_table(replay: Replay, encoder: Graph, step: Graph) -> None:
    print("\n| one weight alone | weight-only | dynamic |\n|---|---|---|")
    for graph in (encoder, step):
        for name in weights(graph):
            cells = []
            for activations in (FLOAT, DYNAMIC):
                one = quantized(graph, [name], activations, plain_rows)
                pair = (one, step) if graph is encoder else (encoder, one)
                cells.append(f"{replay.error(*pair):.4f}")
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("features", type=Path)
    given = parser.parse_args()
    captioner = build_captioner(read_checkpoint(given.checkpoint))
    encoder, step = (run_passes(graph) for graph in capture_graphs(captioner))
    replay = Replay(captioner, read_features(given.features))
    rules_table(replay, encoder, step)
    layers_table(replay, encoder, step)


if __name__ == "__main__":
    main()
