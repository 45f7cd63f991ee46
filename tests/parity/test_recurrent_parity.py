"""Recurrent captioners as files: golden tokens, one arithmetic in both formats."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_sets import BEAMS, IMAGE_CAPTIONING_PYTORCH, GoldenSet
from random_checkpoints import FEATURES, random_checkpoint

from capexport.bundle import Bundle
from capexport.captioner import build_captioner
from capexport.captioner.search import beam_search
from capexport.checkpoint import read_checkpoint, write_checkpoint
from capexport.export import export
from capexport.runtime import (
    RUNTIMES,
    Features,
    Session,
    caption,
    encoder_inputs,
    forced_log_probs,
    open_session,
)

TOLERANCE = 2e-4
"""nats. Float32 implementations of the golden models differ by up to 1e-4; here two meet."""
SPARSITY = 0.9
RANDOM = {
    "show_tell": {"num_layers": 2},
    "soft_attention_lstm": {"rnn_name": "LSTM"},
    "soft_attention_gru": {"rnn_name": "GRU"},
    "up_down_boxes": {"use_box": 1, "norm_box_feat": 1, "norm_att_feat": 1, "use_bn": 1},
}
"""What has no golden set, by a name of the test's own, with its options."""
ARCHITECTURES = {
    "soft_attention_lstm": "soft_attention",
    "soft_attention_gru": "soft_attention",
    "up_down_boxes": "up_down_lstm",
}

Export = Callable[..., Bundle]


@pytest.fixture(scope="module")
def golden(shared_data: Path) -> Callable[[str], GoldenSet]:
    return cache(lambda name: GoldenSet(shared_data, name))


@pytest.fixture(scope="module")
def checkpoints(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folders of checkpoints: golden ones as they are or pruned, the others random."""

    @cache
    def folder(name: str, pruned: bool) -> Path:
        if name in IMAGE_CAPTIONING_PYTORCH and not pruned:
            return shared_data / "golden" / name
        out = tmp_path_factory.mktemp("checkpoint") / name
        if name in IMAGE_CAPTIONING_PYTORCH:
            dense = read_checkpoint(shared_data / "golden" / name)
            masks = {key: _largest(t) for key, t in dense.tensors.items() if t.ndim == 2}
            write_checkpoint(out, dense, masks=masks)
        else:
            options = {"rnn_size": 64, "att_feat_size": FEATURES + 5 * (name == "up_down_boxes")}
            architecture = ARCHITECTURES.get(name, name)
            sparsity = SPARSITY if pruned else 0.0
            written = random_checkpoint(
                architecture, sparsity=sparsity, **{**options, **RANDOM[name]}
            )
            write_checkpoint(out, written)
        return out

    return folder


def _largest(weight: torch.Tensor) -> torch.Tensor:
    """The mask of the largest weights, as pruning by magnitude leaves them."""
    return weight.abs() >= weight.abs().flatten().kthvalue(round(SPARSITY * weight.numel())).values


@pytest.fixture(scope="module")
def bundles(
    checkpoints: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Export]:
    """Exports, each made once."""

    @cache
    def make(name: str, recipe: str, weights: str, *, pruned: bool = True) -> Bundle:
        out = tmp_path_factory.mktemp("bundle") / "bundle"
        return export(checkpoints(name, pruned), out, recipe=recipe, weights=weights)

    yield make
    make.cache_clear()


@cache
def random_images() -> dict[str, Features]:
    rng = np.random.default_rng(0)
    images = {}
    for regions in (1, 7, 36):
        att = rng.random((regions, FEATURES)).astype(np.float32)
        box = np.sort(rng.random((regions, 2, 2)), axis=1).reshape(regions, 4).astype(np.float32)
        images[f"r{regions}"] = Features(att, att.mean(0), box)
    return images


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", IMAGE_CAPTIONING_PYTORCH)
def test_float_files_give_the_golden_tokens(
    golden: Callable[[str], GoldenSet], bundles: Export, name: str, runtime: str
) -> None:
    expected = golden(name)
    session = open_session(bundles(name, "fp32", "dense", pruned=False), runtime)
    for beam in BEAMS:
        for image, entry in expected.stable(beam).items():
            got = caption(session, expected.images[image], beam)
            assert got.tokens == entry["ids"][0], (image, beam)
            assert got.text == entry["caption"]
    for image, entry in expected.expected.items():
        log_probs = forced_log_probs(session, expected.images[image], entry["greedy_ids"])
        reference = expected.arrays[f"{image}.greedy_logp"]
        np.testing.assert_allclose(log_probs, reference, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("name", RANDOM)
def test_float_files_give_torchs_tokens(
    checkpoints: Callable[..., Path], bundles: Export, name: str, runtime: str
) -> None:
    captioner = build_captioner(read_checkpoint(checkpoints(name, pruned=False)))
    session = open_session(bundles(name, "fp32", "dense", pruned=False), runtime)
    for features in random_images().values():
        inputs = encoder_inputs(captioner.signature, features)
        tensors = [torch.from_numpy(inputs[spec.name]) for spec in captioner.signature.inputs]
        for beam in BEAMS:
            best = beam_search(captioner, beam, *tensors)[0]
            got = caption(session, features, beam)
            assert got.tokens == list(best.tokens)
            assert got.log_prob == pytest.approx(best.log_prob, abs=TOLERANCE)


@pytest.mark.parametrize("name", [*IMAGE_CAPTIONING_PYTORCH, *RANDOM])
def test_int8_files_of_both_formats_and_forms_say_the_same(
    golden: Callable[[str], GoldenSet], bundles: Export, name: str
) -> None:
    """One set of int8 numbers, one rule of rounding, kernels that round as the runtimes do."""
    images = golden(name).images if name in IMAGE_CAPTIONING_PYTORCH else random_images()
    forms = {weights: bundles(name, "dynamic_wi8", weights) for weights in ("dense", "packed")}
    sizes = {w: sum(file.bytes for file in b.manifest.files) for w, b in forms.items()}
    assert sizes["packed"] < sizes["dense"]
    sessions: list[Session] = [
        open_session(bundle, runtime) for bundle in forms.values() for runtime in RUNTIMES
    ]
    for image, features in images.items():
        for beam in BEAMS:
            first, *others = (caption(session, features, beam).tokens for session in sessions)
            assert all(other == first for other in others), (image, beam)
