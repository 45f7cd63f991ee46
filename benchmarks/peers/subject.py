"""A checkpoint -> the one decoder step that all contenders run, its inputs and torch's outputs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from contenders import WEIGHT_FORMS

from capexport.captioner import Captioner, build_captioner
from capexport.capture import capture
from capexport.checkpoint import read_checkpoint
from capexport.export import export
from capexport.ir.passes import run_passes
from capexport.runtime import encoder_inputs, read_features
from capexport.spec.signature import BEAMS, REGIONS, TensorSpec
from capexport.writers import onnx, tflite

STEPS = 8
"""Words of torch's own greedy caption that every contender must predict."""

Tensors = tuple[torch.Tensor, ...]


def write_subject(checkpoint: Path, features: Path, folder: Path) -> str:
    """Write the step for every converter into `folder`; returns a line about the model.

    steps.npz and outputs.npz hold inputs and torch's outputs by name, [STEPS, ...] each.
    step.onnx, .tflite (our writers), .pt2 and .pt (torch) are fp32, for one beam and the regions of
    the image that has most: no peer has to cope with dynamic axes. Our own bundles, a folder per
    weight form, keep theirs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = read_checkpoint(checkpoint)
    captioner = build_captioner(source)
    with torch.no_grad():
        memory = _memory(captioner, features)
        steps, outputs = _greedy(captioner, memory)
        _write_torch(captioner, steps[0], folder)
    _save(folder / "steps.npz", captioner.signature.step_inputs, steps)
    _save(folder / "outputs.npz", captioner.signature.step_outputs, outputs)
    _write_fp32(captioner, {BEAMS: 1, REGIONS: memory[0].shape[0]}, folder)
    for form in WEIGHT_FORMS:
        export(checkpoint, folder / form, weights=form, force=True)
    weights = captioner.decoder_step.state_dict().values()
    parameters, kept = sum(w.numel() for w in weights), sum(int(w.count_nonzero()) for w in weights)
    return f"{captioner.architecture} decoder step: {parameters:,} parameters, {kept:,} not zero"


def _memory(captioner: Captioner, features: Path) -> Tensors:
    image = max(read_features(features).values(), key=lambda image: len(image.att))
    inputs = encoder_inputs(captioner.signature, image)
    ordered = [torch.from_numpy(inputs[spec.name]) for spec in captioner.signature.inputs]
    memory: Tensors = captioner.encoder(*ordered)
    return memory


def _greedy(captioner: Captioner, memory: Tensors) -> tuple[list[Tensors], list[Tensors]]:
    """Inputs and outputs of the first STEPS steps of greedy decoding."""
    shapes = [[1 if d == BEAMS else int(d) for d in s.shape] for s in captioner.signature.states]
    states = tuple(torch.zeros(shape) for shape in shapes)
    token = torch.tensor([captioner.decoding.bos], dtype=torch.int32)
    steps, outputs = [], []
    for _ in range(STEPS):
        steps.append((token, *states, *memory))
        outputs.append(captioner.decoder_step(*steps[-1]))
        log_probs, *states = outputs[-1]
        token = log_probs.argmax(-1).to(torch.int32)
    return steps, outputs


def _write_torch(captioner: Captioner, inputs: Tensors, folder: Path) -> None:
    torch.export.save(torch.export.export(captioner.decoder_step, inputs), folder / "step.pt2")
    traced = torch.jit.trace(captioner.decoder_step, inputs)  # type: ignore[no-untyped-call]
    traced.save(folder / "step.pt")


def _write_fp32(captioner: Captioner, axes: dict[str, int], folder: Path) -> None:
    inputs = _fixed(captioner.signature.step_inputs, axes)
    outputs = _fixed(captioner.signature.step_outputs, axes)
    graph = run_passes(capture(captioner.decoder_step, "decoder_step", inputs, outputs))
    (folder / "step.onnx").write_bytes(onnx.write(graph))
    (folder / "step.tflite").write_bytes(tflite.write(graph))


def _fixed(specs: Sequence[TensorSpec], axes: dict[str, int]) -> list[TensorSpec]:
    return [TensorSpec(s.name, tuple(axes.get(str(d), d) for d in s.shape), s.dtype) for s in specs]


def _save(path: Path, specs: Sequence[TensorSpec], steps: Sequence[Tensors]) -> None:
    columns = zip(*steps, strict=True)
    arrays: dict[str, Any] = {
        spec.name: np.stack([tensor.numpy() for tensor in column])
        for spec, column in zip(specs, columns, strict=True)
    }
    np.savez(path, **arrays)
