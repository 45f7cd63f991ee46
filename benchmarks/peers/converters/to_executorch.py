"""An exported program -> an ExecuTorch file for XNNPACK: to_executorch.py PT2 STEPS.npz PTE FORM.

FORM is "fp32" or "dynamic int8": per-channel weights, activations made int8 in every step. STEPS
has example inputs by name, [steps, ...]; the quantizer runs all of them.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
    XNNPACKQuantizer,
    get_symmetric_quantization_config,
)
from executorch.exir import to_edge_transform_and_lower
from torch.export import ExportedProgram
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

Inputs = tuple[torch.Tensor, ...]


def main() -> None:
    source, steps, target, form = sys.argv[1:]
    program = torch.export.load(source)
    if form == "dynamic int8":
        columns = np.load(steps).values()
        rows = zip(*columns, strict=True)
        program = quantized(program, [tuple(map(torch.from_numpy, row)) for row in rows])
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    Path(target).write_bytes(lowered.to_executorch().buffer)


def quantized(program: ExportedProgram, steps: list[Inputs]) -> ExportedProgram:
    config = get_symmetric_quantization_config(is_per_channel=True, is_dynamic=True)
    module = prepare_pt2e(program.module(), XNNPACKQuantizer().set_global(config))
    for step in steps:
        module(*step)
    return torch.export.export(without_unused(convert_pt2e(module)), steps[0])


def without_unused(module: torch.fx.GraphModule) -> torch.fx.GraphModule:
    """Without the float weights that became int8: convert_pt2e leaves those that need no gradient,
    as is so for all of a captioner, and export would store them beside."""
    used = {node.target for node in module.graph.nodes if node.op == "get_attr"}
    for name in [name for name, _ in module.named_buffers() if name not in used]:
        owner, _, attribute = name.rpartition(".")
        delattr(module.get_submodule(owner), attribute)
    return module


if __name__ == "__main__":
    main()
