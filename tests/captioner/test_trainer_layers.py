"""Layers around attention and the cells against torch.nn, which the trainers build them from."""

import pytest
import torch
from random_checkpoints import FEATURES, random_checkpoint
from torch import nn
from torch.nn import functional as F

from capexport.captioner import build_captioner
from capexport.captioner.region_embedding import RegionEmbedding
from capexport.captioner.word_scores import WordScores
from capexport.errors import UnsupportedError

TOLERANCE = 1e-5
"""Sums of up to 20 float32 products of numbers near 1, in another order."""


@pytest.mark.parametrize("use_bn", [0, 1, 2])
@pytest.mark.parametrize("regions", [1, 13])
def test_region_embedding_is_the_trainers_sequence(use_bn: int, regions: int) -> None:
    checkpoint = random_checkpoint("att2in2", use_bn=use_bn)
    layers: list[nn.Module] = [nn.Linear(FEATURES, 16), nn.ReLU(), nn.Dropout()]
    if use_bn:
        layers.insert(0, nn.BatchNorm1d(FEATURES))
    if use_bn == 2:
        layers.append(nn.BatchNorm1d(16))
    prefix = "att_embed."
    weights = {k.removeprefix(prefix): t for k, t in checkpoint.tensors.items() if prefix in k}
    sequence = nn.Sequential(*layers).eval()
    missing, unexpected = sequence.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    att = torch.randn(regions, FEATURES, generator=torch.Generator().manual_seed(regions))
    got = RegionEmbedding(checkpoint.tensors, checkpoint.config)(att)
    torch.testing.assert_close(got, sequence(att), rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_word_scores_are_the_trainers_sequence(layers: int) -> None:
    checkpoint = random_checkpoint("newfc", logit_layers=layers)
    hidden = [m for _ in range(layers - 1) for m in (nn.Linear(16, 16), nn.ReLU(), nn.Dropout())]
    sequence = nn.Sequential(*hidden, nn.Linear(16, 40)).eval()
    prefix = "logit." if layers > 1 else "logit"  # one layer is no Sequential
    names = {
        name: prefix + name.removeprefix("0" * (layers == 1)) for name in sequence.state_dict()
    }
    sequence.load_state_dict({name: checkpoint.tensors[key] for name, key in names.items()})
    x = torch.randn(5, 16, generator=torch.Generator().manual_seed(layers))
    got = WordScores(checkpoint.tensors, layers)(x)
    torch.testing.assert_close(got, F.log_softmax(sequence(x), -1), rtol=0, atol=10 * TOLERANCE)
    build_captioner(checkpoint)


def test_out_res_scores_the_context_plus_the_hidden_state() -> None:
    att = torch.rand(7, FEATURES, generator=torch.Generator().manual_seed(0))
    results = {}
    for out_res in (0, 1):
        checkpoint = random_checkpoint("aoa", out_res=out_res)
        captioner = build_captioner(checkpoint)
        states = [torch.zeros(2, 16) for _ in range(3)]
        token = torch.tensor([3, 4], dtype=torch.int32)
        log_probs, h, _, context = captioner.decoder_step(token, *states, *captioner.encoder(att))
        scores = WordScores(checkpoint.tensors)(context + h if out_res else context)
        torch.testing.assert_close(log_probs, scores, rtol=0, atol=TOLERANCE)
        results[out_res] = log_probs
    assert not torch.allclose(results[0], results[1], atol=0.1)


@pytest.mark.parametrize(
    ("key", "value"), [("use_ff", 1), ("decoder_type", "LSTM"), ("mean_feats", 0), ("refine", 0)]
)
def test_other_aoanets_are_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(UnsupportedError, match=f"{key} is"):
        build_captioner(random_checkpoint("aoa", **{key: value}))


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(UnsupportedError, match="5 heads do not divide the width 16"):
        build_captioner(random_checkpoint("aoa", num_heads=5))
