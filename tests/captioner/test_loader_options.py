"""Features as ImageCaptioning.pytorch's loader hands them over, against its formulas in numpy."""

import numpy as np
import pytest
import torch
from random_checkpoints import FEATURES, random_checkpoint

from capexport.captioner import build_captioner
from capexport.captioner.search import greedy
from capexport.capture import capture
from capexport.errors import UnsupportedError
from capexport.ir.evaluate import evaluate

TOLERANCE = 1e-5
WITH_ATT = ("aoa", "att2in2", "up_down_lstm", "soft_attention")


def loaded(att: np.ndarray, box: np.ndarray, norm_att: int, use_box: int, norm_box: int):
    """The loader's lines, box in pixels of a 640 x 480 image, regions sorted by area."""
    if norm_att:
        att = att / np.linalg.norm(att, 2, 1, keepdims=True)
    if not use_box:
        return att
    w, h = 640.0, 480.0
    x1, y1, x2, y2 = np.hsplit(box * np.array([w, h, w, h]), 4)
    columns = np.hstack((x1 / w, y1 / h, x2 / w, y2 / h, (x2 - x1) * (y2 - y1) / (w * h)))
    if norm_box:
        columns = columns / np.linalg.norm(columns, 2, 1, keepdims=True)
    return np.stack(sorted(np.hstack([att, columns]), key=lambda row: row[-1], reverse=True))


@pytest.mark.parametrize("architecture", WITH_ATT)
@pytest.mark.parametrize("options", [(1, 0, 0), (0, 1, 0), (0, 1, 1), (1, 1, 1)])
@pytest.mark.parametrize("regions", [1, 7])
def test_an_option_is_applied(
    architecture: str, options: tuple[int, int, int], regions: int
) -> None:
    width = FEATURES + 5 * options[1]
    plain = random_checkpoint(architecture, att_feat_size=width, fc_feat_size=FEATURES)
    names = ("norm_att_feat", "use_box", "norm_box_feat")
    given = dict(zip(names, options, strict=True))
    captioner = build_captioner(
        random_checkpoint(architecture, att_feat_size=width, fc_feat_size=FEATURES, **given)
    )
    rng = np.random.default_rng(regions)
    att = rng.random((regions, FEATURES)).astype(np.float32)
    box = np.sort(rng.random((regions, 2, 2)), axis=1).reshape(regions, 4).astype(np.float32)
    values = {"att": att, "fc": att.mean(0, keepdims=True), "box": box}
    inputs = {spec.name: values[spec.name] for spec in captioner.signature.inputs}
    assert ("box" in inputs) == bool(options[1])
    ids, log_probs = greedy(captioner, *map(torch.from_numpy, inputs.values()))
    values["att"] = loaded(att, box, *options).astype(np.float32)
    reference = build_captioner(plain)
    direct = [torch.from_numpy(values[spec.name]) for spec in reference.signature.inputs]
    expected_ids, expected = greedy(reference, *direct)
    assert ids == expected_ids
    torch.testing.assert_close(log_probs, expected, rtol=0, atol=TOLERANCE)
    signature = captioner.signature
    graph = capture(captioner.encoder, "encoder", signature.inputs, signature.encoder_outputs)
    outputs = captioner.encoder(*map(torch.from_numpy, inputs.values()))
    got = evaluate(graph, inputs)
    for spec, output in zip(signature.encoder_outputs, outputs, strict=True):
        np.testing.assert_allclose(got[spec.name], output.numpy(), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("architecture", ["newfc", "show_tell"])
def test_a_captioner_without_regions_has_nothing_to_apply(architecture: str) -> None:
    captioner = build_captioner(random_checkpoint(architecture, norm_att_feat=1, use_box=1))
    assert [spec.name for spec in captioner.signature.inputs] == ["fc"]


@pytest.mark.parametrize("name", ["norm_att_feat", "use_box", "norm_box_feat"])
def test_an_unknown_value_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedError, match=f"{name} is '2'"):
        build_captioner(random_checkpoint("att2in2", **{name: 2}))
