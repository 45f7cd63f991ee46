"""int8 weights in torchao's own form: kept on their grid, other forms refused, nothing executed."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from random_checkpoints import random_checkpoint
from trainer_files import write_image_captioning_pytorch

from capexport.captioner import build_captioner
from capexport.capture import capture_graphs
from capexport.checkpoint import Checkpoint, read_checkpoint
from capexport.checkpoint.limits import Limits
from capexport.checkpoint.tensors import read_tensors
from capexport.checkpoint.torchao_tensors import TorchaoInt8
from capexport.compress import RECIPES, apply_recipe
from capexport.errors import CapexportError, CheckpointError, UnsupportedError
from capexport.ir.passes import run_passes

MADE = Path(__file__).with_name("torchao")
LIMITS = Limits()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("torchao")
    write_image_captioning_pytorch(folder, random_checkpoint("newfc"))
    (folder / "model.pth").write_bytes((MADE / "newfc_int8.pth").read_bytes())
    return read_checkpoint(folder)


@pytest.fixture(scope="module")
def parts() -> dict[str, np.ndarray]:
    """What torchao says of the same weights: qdata, scale, and the product."""
    return dict(np.load(MADE / "newfc_int8.npz"))


def names(parts: dict[str, np.ndarray]) -> list[str]:
    return [name.removesuffix(".qdata") for name in parts if name.endswith(".qdata")]


def test_torchao_is_no_dependency(checkpoint: Checkpoint) -> None:
    assert "torchao" not in sys.modules


def test_weights_are_torchaos(checkpoint: Checkpoint, parts: dict[str, np.ndarray]) -> None:
    assert len(names(parts)) == 4
    for name in names(parts):
        weight = checkpoint.tensors[name].numpy()
        np.testing.assert_array_equal(weight, parts[f"{name}.weight"])
        np.testing.assert_array_equal(weight == 0, parts[f"{name}.qdata"] == 0)
        assert (weight == 0).mean() > 0.4  # it was pruned, and is still


def test_graphs_keep_the_grid(checkpoint: Checkpoint, parts: dict[str, np.ndarray]) -> None:
    graphs = capture_graphs(build_captioner(checkpoint))
    smalls = [apply_recipe(run_passes(graph), RECIPES["dynamic_wi8"]) for graph in graphs]
    constants = {c.shape: c for small in smalls for c in small.constants.values() if c.quantization}
    for name in ("logit.weight", "fc_embed.weight"):
        steps = parts[f"{name}.qdata"].clip(-127)  # -128 is never used: compress/rows.py
        constant = constants[steps.shape]
        expected = steps * parts[f"{name}.scale"]
        np.testing.assert_allclose(constant.dequantized(), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("file", "what"),
    [("groups", "not one per row"), ("float8", r"Float8Tensor"), ("int4", r"Int4Tensor")],
)
def test_other_kinds_are_refused(file: str, what: str) -> None:
    with pytest.raises(UnsupportedError, match=what) as caught:
        read_tensors((MADE / f"{file}.pth").read_bytes(), f"{file}.pth", LIMITS)
    assert f"{file}.pth" in caught.value.where
    assert "PerRow" in caught.value.hint or "Int8WeightOnlyConfig" in caught.value.hint


# ---- files that nobody's torchao wrote

SHAPE = (3, 4)


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., bytes]:
    """Bytes of a file with one weight of the given parts, by torchao's names."""
    package, module = ModuleType("torchao"), ModuleType("torchao.quantization")
    kind = type("Int8Tensor", (TorchaoInt8,), {"__module__": module.__name__})
    module.Int8Tensor = kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchao", package)
    monkeypatch.setitem(sys.modules, "torchao.quantization", module)

    def save(shape: tuple[int, ...] = SHAPE, **changes: Any) -> bytes:
        tensor: Any = torch.Tensor._make_wrapper_subclass(kind, shape, dtype=torch.float32)
        sound = {"qdata": torch.ones(SHAPE, dtype=torch.int8), "scale": torch.ones(3, 1)}
        tensor.__dict__.update({**sound, **changes})
        torch.save({"w": tensor}, tmp_path / "w.pth")
        return (tmp_path / "w.pth").read_bytes()

    return save


def test_a_file_made_here_is_read_as_one_of_torchao(saved: Callable[..., bytes]) -> None:
    data = saved(scale=torch.full((3, 1), 0.5, dtype=torch.bfloat16))
    weights = read_tensors(data, "w.pth", LIMITS)
    assert torch.equal(weights["w"], torch.full(SHAPE, 0.5))
    assert type(weights["w"]) is torch.Tensor


@pytest.mark.parametrize(
    ("changes", "what", "kind"),
    [
        ({"qdata": None}, "missing", CheckpointError),
        ({"qdata": torch.ones(SHAPE)}, "another type", CheckpointError),
        ({"scale": torch.ones(3, 1, dtype=torch.int32)}, "another type", CheckpointError),
        ({"shape": (4, 3)}, "hold", CheckpointError),
        ({"scale": torch.ones(4, 1)}, "not one per row", UnsupportedError),
        ({"zero_point": torch.ones(3, 1)}, "zero points", UnsupportedError),
        ({"zero_point": torch.ones(1).expand(1 << 40)}, "like scale", CheckpointError),
        ({"zero_point": 1}, "like scale", CheckpointError),
        ({"qdata": torch.ones(SHAPE, dtype=torch.int8).to_sparse()}, "type", CheckpointError),
        ({"scale": torch.ones(3, 1, device="meta")}, "type", CheckpointError),
        ({"act_pre_scale": torch.ones(4)}, "SmoothQuant", UnsupportedError),
    ],
)
def test_parts_that_make_no_sense_are_refused(
    saved: Callable[..., bytes], changes: dict[str, Any], what: str, kind: type[CapexportError]
) -> None:
    with pytest.raises(kind, match=what):
        read_tensors(saved(**changes), "w.pth", LIMITS)


def test_a_view_that_declares_more_than_it_stores_is_refused(saved: Callable[..., bytes]) -> None:
    huge = (1 << 20, 1 << 20)
    qdata = torch.ones(1, 1, dtype=torch.int8).expand(huge)
    data = saved(huge, qdata=qdata, scale=torch.ones(1, 1))
    with pytest.raises(CheckpointError, match="declare more than"):
        read_tensors(data, "w.pth", LIMITS)


def test_weights_in_torchaos_form_compute_nothing() -> None:
    tensor = torch.Tensor._make_wrapper_subclass(TorchaoInt8, SHAPE, dtype=torch.float32)
    with pytest.raises(TypeError, match="still in torchao's form"):
        torch.abs(tensor)
