"""Up-Down in torch against arrays and captions that the trainers' own code produced."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import write_up_down

from capexport.captioner import Captioner, build_captioner
from capexport.captioner.search import beam_search, greedy
from capexport.checkpoint import read_checkpoint
from capexport.errors import CheckpointError, UnsupportedError

TOLERANCE = 1e-4
"""nats. Largest difference between float32 implementations on the golden sets: 9.6e-5."""
BEAMS = (2, 3, 5)

SETS = {
    "tiny3_xe": ("checkpoints/smp-updown-tiny-xe", ("inputs_real.npz",)),
    "updown_small_s90": ("golden/updown_small_s90", ("inputs_real.npz", "inputs_synth.npz")),
}


@pytest.fixture(scope="module", params=SETS)
def golden(request: pytest.FixtureRequest, shared_data: Path) -> "Golden":
    return Golden(shared_data, request.param)


class Golden:
    """A captioner, its inputs, and what is expected of it."""

    def __init__(self, data: Path, name: str) -> None:
        folder, files = SETS[name]
        self.captioner: Captioner = build_captioner(read_checkpoint(data / folder))
        self.expected = json.loads((data / "golden" / name / "golden.json").read_text())["images"]
        self.arrays = np.load(data / "golden" / name / "golden.npz")
        self.inputs = {k: v for f in files for k, v in np.load(data / "golden" / f).items()}

    def features(self, image: str) -> tuple[torch.Tensor, torch.Tensor]:
        att, fc = (self.inputs[f"{image}.{part}"].astype(np.float32) for part in ("att", "fc"))
        return torch.from_numpy(att), torch.from_numpy(fc[None])


def test_encoder_equals_the_golden_arrays(golden: Golden) -> None:
    for image in golden.expected:
        values, keys, _ = golden.captioner.encoder(*golden.features(image))
        for name, tensor in (("att_embed", values), ("ctx2att", keys)):
            expected = golden.arrays[f"{image}.{name}"]
            np.testing.assert_allclose(tensor.numpy(), expected, rtol=0, atol=TOLERANCE)


def test_greedy_equals_the_golden_captions_step_by_step(golden: Golden) -> None:
    for image, expected in golden.expected.items():
        tokens, log_probs = greedy(golden.captioner, *golden.features(image))
        if not expected["stable"]["1"]:
            continue
        assert tokens == expected["beam"]["1"]["ids"][0]
        array = golden.arrays[f"{image}.greedy_logp"]
        np.testing.assert_allclose(log_probs.numpy(), array, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("width", BEAMS)
def test_beam_search_equals_the_golden_captions(golden: Golden, width: int) -> None:
    for image, expected in golden.expected.items():
        if not expected["stable"][str(width)]:
            continue
        entry = expected["beam"][str(width)]
        best = beam_search(golden.captioner, width, *golden.features(image))[0]
        assert list(best.tokens) == entry["ids"][0]
        assert best.log_prob == pytest.approx(entry["sum_logp"][0], abs=TOLERANCE)
        captioner = golden.captioner
        assert captioner.vocabulary.text(best.tokens, captioner.decoding) == entry["caption"]


def test_an_unknown_architecture_is_refused(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(write_up_down(tmp_path / "c"))
    with pytest.raises(UnsupportedError, match="there is no architecture 'perceiver'"):
        build_captioner(replace(checkpoint, architecture="perceiver"))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda t: t.pop("logit.bias"), "logit.bias is missing"),
        (lambda t: t.update(extra=torch.zeros(1)), "extra is not expected"),
        (lambda t: t.update({"logit.bias": torch.zeros(3)}), "the configuration says"),
    ],
)
def test_tensors_must_be_the_architectures(tmp_path: Path, change: object, what: str) -> None:
    checkpoint = read_checkpoint(write_up_down(tmp_path / "c"))
    tensors = dict(checkpoint.tensors)
    change(tensors)  # type: ignore[operator]
    with pytest.raises(CheckpointError, match=what):
        build_captioner(replace(checkpoint, tensors=tensors))


def test_image_vector_and_regions_may_differ_in_width(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(write_up_down(tmp_path / "c"))
    width = checkpoint.config["fc_feat_size"] + 1
    wider = torch.zeros(checkpoint.config["rnn_size"], width)
    other = replace(
        checkpoint,
        config={**checkpoint.config, "fc_feat_size": width},
        tensors={**checkpoint.tensors, "fc_embed.0.weight": wider},
    )
    att, fc = build_captioner(other).signature.inputs
    assert (att.shape[-1], fc.shape[-1]) == (width - 1, width)
