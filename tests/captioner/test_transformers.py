"""Transformer captioners in torch: golden captions, a slow reference, and what layers may share."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from golden_sets import BEAMS, TRANSFORMERS, GoldenSet
from prefix_transformer import PrefixTransformer
from transformer_checkpoints import SMALL, write_transformer

from capexport.captioner import Captioner, build_captioner
from capexport.captioner.box_geometry import LEAST_WEIGHT
from capexport.captioner.search import beam_search, greedy
from capexport.checkpoint import Checkpoint, read_checkpoint
from capexport.errors import CheckpointError, UnsupportedError

TOLERANCE = 1e-4
"""nats. Float32 implementations of these sets differ by up to 9.6e-5; ours by 3.1e-5."""
LEAST_STABLE = 8
"""Every set has 11 images, of which rounding may turn a few."""
GROUPS = [0, 1, 0]
THREE_LAYERS = replace(SMALL, layers=3)


@pytest.fixture(scope="module", params=TRANSFORMERS)
def golden(request: pytest.FixtureRequest, shared_data: Path) -> GoldenSet:
    return GoldenSet(shared_data, request.param)


def test_log_probabilities_of_every_greedy_step(golden: GoldenSet) -> None:
    for image, expected in golden.expected.items():
        tokens, log_probs = greedy(golden.captioner, *golden.tensors(image))
        assert tokens == expected["greedy_ids"]
        array = golden.arrays[f"{image}.greedy_logp"]
        np.testing.assert_allclose(log_probs.numpy(), array, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("width", BEAMS)
def test_captions(golden: GoldenSet, width: int) -> None:
    entries, captioner = golden.stable(width), golden.captioner
    assert len(entries) >= LEAST_STABLE
    for image, entry in entries.items():
        best = beam_search(captioner, width, *golden.tensors(image))[0]
        assert list(best.tokens) == entry["ids"][0]
        assert best.log_prob == pytest.approx(entry["sum_logp"][0], abs=TOLERANCE)
        assert captioner.vocabulary.text(best.tokens, captioner.decoding) == entry["caption"]


@pytest.mark.parametrize("name", ["ort_small_s90", "acort_small_dense"])
def test_box_geometry_equals_the_golden_arrays(shared_data: Path, name: str) -> None:
    golden = GoldenSet(shared_data, name)
    encoder: Any = golden.captioner.encoder
    for image in golden.expected:
        bias = encoder.geometry(torch.from_numpy(golden.images[image].box))[0].exp()
        expected = np.maximum(golden.arrays[f"{image}.geom_w0"], LEAST_WEIGHT)
        np.testing.assert_allclose(bias.numpy(), expected, rtol=0, atol=TOLERANCE)


# ------------------------------------------------------------ against a reference without caches
@pytest.mark.parametrize(
    ("relation", "config"),
    [
        (True, {}),
        (False, {}),
        (True, {"share_att_encoder": "kv", "share_att_decoder": "kv"}),
        (True, {"share_att_encoder": "qk", "share_att_decoder": "qk"}),
        (False, {"share_att_decoder": "qk", "share_layer_encoder": [0, 0]}),
    ],
)
def test_a_step_with_caches_equals_the_whole_prefix_without(
    tmp_path: Path, relation: bool, config: dict[str, Any]
) -> None:
    folder = write_transformer(tmp_path / "c", relation=relation, sparsity=0.5, config=config)
    checkpoint = read_checkpoint(folder)
    captioner = build_captioner(checkpoint)
    for regions in (1, 5):
        features = random_features(captioner, regions)
        tokens, log_probs = greedy(captioner, *features)
        reference = PrefixTransformer(checkpoint).log_probs(tokens, *features)
        np.testing.assert_allclose(log_probs.numpy(), reference, rtol=0, atol=TOLERANCE)


def random_features(captioner: Captioner, regions: int) -> list[torch.Tensor]:
    rng = np.random.default_rng(regions)
    box = np.sort(rng.random((regions, 2, 2)), axis=1).reshape(regions, 4)
    given = {"att": rng.random((regions, SMALL.features)), "box": box}
    return [
        torch.from_numpy(given[spec.name].astype(np.float32)) for spec in captioner.signature.inputs
    ]


def test_what_is_not_written_yet_is_not_seen(tmp_path: Path) -> None:
    captioner = build_captioner(read_checkpoint(write_transformer(tmp_path / "c")))
    memory = captioner.encoder(*random_features(captioner, 3))
    token, position = torch.tensor([5, 6]), torch.tensor([4, 4], dtype=torch.int32)
    results = []
    for garbage in (0.0, 1e3):
        caches = [torch.ones(2, *spec.shape[1:]) for spec in captioner.signature.states[1:]]
        for cache in caches:
            cache[:, 4:] = garbage
        results.append(captioner.decoder_step(token, position, *caches, *memory)[0])
    assert results[0].equal(results[1])


# ------------------------------------------------------------ sharing
def test_layers_that_share_weights_share_one_cache(tmp_path: Path) -> None:
    captioner = build_captioner(shared_checkpoint(tmp_path / "c"))
    rows = {spec.name: spec.rows for spec in captioner.signature.states[1:]}
    assert rows == {"keys_0": 2, "values_0": 2, "keys_1": 1, "values_1": 1}
    shapes = {spec.name: spec.shape[1] for spec in captioner.signature.states[1:]}
    assert shapes["keys_0"] == 2 * SMALL.max_length
    assert len(captioner.signature.memory) == 4


def shared_checkpoint(folder: Path) -> Checkpoint:
    config = {"share_layer_decoder": GROUPS}
    return read_checkpoint(write_transformer(folder, sizes=THREE_LAYERS, config=config))


def test_layers_that_share_must_be_equal(tmp_path: Path) -> None:
    checkpoint = shared_checkpoint(tmp_path / "c")
    name = "model.decoder.layers.2.feed_forward.w_1.bias"
    other = {**checkpoint.tensors, name: checkpoint.tensors[name] + 1}
    with pytest.raises(CheckpointError, match="two layers differ"):
        build_captioner(replace(checkpoint, tensors=other))


@pytest.mark.parametrize("groups", [[0, 0], "(0,0,1)", [0, 0, 1.5], 3])
def test_groups_must_be_a_number_for_each_layer(tmp_path: Path, groups: object) -> None:
    checkpoint = shared_checkpoint(tmp_path / "c")
    config = {**checkpoint.config, "share_layer_decoder": groups}
    with pytest.raises(UnsupportedError, match="share_layer_decoder"):
        build_captioner(replace(checkpoint, config=config))


def test_unknown_sharing_is_refused(tmp_path: Path) -> None:
    checkpoint = shared_checkpoint(tmp_path / "c")
    with pytest.raises(UnsupportedError, match="share_att_encoder"):
        build_captioner(
            replace(checkpoint, config={**checkpoint.config, "share_att_encoder": "qkv"})
        )


def test_heads_must_divide_the_width(tmp_path: Path) -> None:
    checkpoint = shared_checkpoint(tmp_path / "c")
    with pytest.raises(CheckpointError, match="does not divide"):
        build_captioner(replace(checkpoint, config={**checkpoint.config, "num_heads": 3}))
