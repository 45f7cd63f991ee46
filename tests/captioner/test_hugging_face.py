"""BLIP, GIT and ViT-GPT-2 in torch against transformers' own forward pass and `generate`."""

import json
from pathlib import Path
from typing import Any

import hugging_face_models as models
import pytest
import torch

from capexport.captioner import Captioner, build_captioner
from capexport.captioner.search import beam_search, greedy
from capexport.checkpoint import read_checkpoint
from capexport.errors import UnsupportedError

TOLERANCE = 2e-4
"""nats. Sums of up to 40 float32 products of order 1 through five layers: 20 eps each, on
log-probabilities that reach 30."""
SEEDS = {"blip": (1, 2), "vit_gpt2": (2, 3), "git": (0, 2)}
"""Models whose captions vary, some of them ending early."""
CASES = [(name, seed) for name, seeds in SEEDS.items() for seed in seeds]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, Captioner]:
    name, seed = request.param
    model = models.BUILDERS[name](seed)
    folder = models.save(model, tmp_path_factory.mktemp(name) / "model")
    return model, build_captioner(read_checkpoint(folder))


@torch.no_grad()
def test_every_step_gives_the_log_probabilities_of_one_forward_pass(
    pair: tuple[Any, Captioner],
) -> None:
    """The oracle reads the whole caption at once, without a cache."""
    model, captioner = pair
    for picture in models.pictures():
        tokens, log_probs = greedy(captioner, picture[None])
        ids = torch.tensor([[models.BOS, *tokens[:-1]]])
        name = "decoder_input_ids" if model.config.is_encoder_decoder else "input_ids"
        logits = model(pixel_values=models.pixel_values(picture), **{name: ids}).logits
        expected = logits[0, -len(tokens) :].log_softmax(-1)
        torch.testing.assert_close(log_probs, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("beams", [1, 2, 3, 4])
def test_captions_are_those_of_generate(pair: tuple[Any, Captioner], beams: int) -> None:
    model, captioner = pair
    for picture in models.pictures():
        expected = models.generated(model, picture, beams)
        assert list(beam_search(captioner, beams, picture[None])[0].tokens) == expected


@pytest.mark.parametrize(
    "settings",
    [
        {"length_penalty": 0.0},
        {"length_penalty": 2.0},
        {"length_penalty": -1.0},
        {"early_stopping": True},
        {"max_length": 5},
        {"max_new_tokens": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["blip", "git"])
def test_generation_settings_are_reproduced(
    name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    model = models.BUILDERS[name](2)
    folder = models.save(model, tmp_path / "m")
    change_settings(folder, name, settings)
    captioner = build_captioner(read_checkpoint(folder))
    for picture in models.pictures(2):
        expected = models.generated(model, picture, 3, **settings)
        assert list(beam_search(captioner, 3, picture[None])[0].tokens) == expected


def change_settings(folder: Path, name: str, settings: dict[str, Any]) -> None:
    """Into the file where transformers looks for them: BLIP's `generate` asks text_config."""
    file = folder / ("config.json" if name == "blip" else "generation_config.json")
    content = json.loads(file.read_text())
    (content["text_config"] if name == "blip" else content).update(settings)
    file.write_text(json.dumps(content))


def test_one_width_needs_no_bridge_between_vit_and_gpt2(tmp_path: Path) -> None:
    model = models.vit_gpt2(2, width=models.VISION["hidden_size"])
    assert not hasattr(model, "enc_to_dec_proj")
    captioner = build_captioner(read_checkpoint(models.save(model, tmp_path / "m")))
    picture = models.pictures()[0]
    assert greedy(captioner, picture[None])[0] == models.generated(model, picture, 1)


@pytest.mark.parametrize("activation", ["relu", "quick_gelu", "gelu_new"])
def test_activations_by_name(activation: str, tmp_path: Path) -> None:
    model = models.blip(2, hidden_act=activation)
    captioner = build_captioner(read_checkpoint(models.save(model, tmp_path / "m")))
    picture = models.pictures()[0]
    assert greedy(captioner, picture[None])[0] == models.generated(model, picture, 1)


def test_an_unknown_activation_is_refused(tmp_path: Path) -> None:
    folder = models.save(models.blip(), tmp_path / "m")
    change_settings(folder, "blip", {"hidden_act": "swish"})
    with pytest.raises(UnsupportedError, match="no activation 'swish'"):
        build_captioner(read_checkpoint(folder))
