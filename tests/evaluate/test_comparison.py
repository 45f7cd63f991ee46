"""A bundle against the captioner that it was made of, and against one that it was not made of."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoints import SMALL, write_up_down
from hypothesis import given
from hypothesis import strategies as st

from capexport.bundle import open_bundle
from capexport.errors import InputError
from capexport.evaluate.comparison import evaluate, first_difference
from capexport.evaluate.datasets import CaptionedImage
from capexport.evaluate.quality import evaluate as score_bundle
from capexport.export import export
from capexport.runtime import RUNTIMES, open_session

IMAGES, BEAM = 6, 2


@pytest.fixture(scope="module", autouse=True)
def _no_java() -> Iterator[None]:
    """METEOR would start a Java process for every score; test_metrics.py has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """checkpoint/ with its fp32 bundle/, other/ with other weights, and features.npz."""
    folder = tmp_path_factory.mktemp("comparison")
    write_up_down(folder / "other", seed=1)
    export(write_up_down(folder / "checkpoint"), folder / "bundle", recipe="fp32")
    att = np.random.default_rng(0).random((IMAGES, 5, SMALL.features), np.float32)
    np.savez(folder / "features.npz", **{f"{n}.att": att[n] for n in range(IMAGES)})
    return folder


@pytest.fixture(scope="module")
def images(folder: Path) -> list[CaptionedImage]:
    """References that the captions of either checkpoint share some words with."""
    images = [CaptionedImage(f"{n}.jpg", Path(f"{n}.jpg"), ("x",)) for n in range(IMAGES)]
    said = [compared(folder, images, name)["captions"] for name in ("checkpoint", "other")]
    assert said[0] == said[1]  # they are the bundle's
    return [
        replace(image, captions=(one["caption"] or "x", f"{one['caption']} ba de"))
        for image, one in zip(images, said[0], strict=True)
    ]


def compared(
    folder: Path, images: list[CaptionedImage], checkpoint: str, **options: Any
) -> dict[str, Any]:
    bundle, features = open_bundle(folder / "bundle"), folder / "features.npz"
    return evaluate(bundle, folder / checkpoint, images, BEAM, features=features, **options)


def test_a_float_bundle_costs_nothing(folder: Path, images: list[CaptionedImage]) -> None:
    result = compared(folder, images, "checkpoint", layers=True)["comparison"]
    assert set(result["runtimes"]) == set(RUNTIMES)
    for runtime in result["runtimes"].values():
        assert runtime["CIDEr-D"] == result["reference"]["CIDEr-D"]
        assert (runtime["difference"], runtime["standard_error"]) == (0, 0)
        assert runtime["captions_identical"] == runtime["captions_total"] == IMAGES
        assert runtime["first_difference"] == {}
        assert runtime["differences"] == []
    assert result["skipped"] == {}
    assert all(layer["max_abs_error"] == 0 for layer in result["layers"])


def test_other_weights_show_in_every_number(folder: Path, images: list[CaptionedImage]) -> None:
    result = compared(folder, images, "other", runtime="onnxruntime")["comparison"]
    ((name, runtime),) = result["runtimes"].items()
    assert name == "onnxruntime"
    reference = result["reference"]["CIDEr-D"]
    assert runtime["difference"] == pytest.approx(runtime["CIDEr-D"] - reference)
    assert runtime["difference"] > 3 * runtime["standard_error"] > 0
    different = runtime["differences"]
    assert different
    assert len(different) == IMAGES - runtime["captions_identical"]
    assert sum(runtime["first_difference"].values()) == len(different)
    for one in different:
        words, others = one["expected"].split(), one["caption"].split()
        assert words[: one["step"] - 1] == others[: one["step"] - 1]
        assert words[one["step"] - 1 : one["step"]] != others[one["step"] - 1 : one["step"]]


def test_scores_are_those_of_the_bundle_alone(folder: Path, images: list[CaptionedImage]) -> None:
    result = compared(folder, images, "other")
    comparison = result.pop("comparison")
    first = next(iter(comparison["runtimes"].values()))
    assert result["metrics"]["CIDEr-D"] == pytest.approx(first["CIDEr-D"])
    assert result["cider_95"] == first["cider_95"]
    bundle = open_bundle(folder / "bundle")
    session = open_session(bundle, next(iter(comparison["runtimes"])))
    features = folder / "features.npz"
    assert result == score_bundle(session, None, images, BEAM, features=features)


def test_one_image_has_no_standard_error(folder: Path, images: list[CaptionedImage]) -> None:
    result = compared(folder, images[:1], "checkpoint")["comparison"]
    assert all(r["standard_error"] is None for r in result["runtimes"].values())


def test_another_model_is_refused(folder: Path, images: list[CaptionedImage]) -> None:
    sizes = replace(SMALL, rnn=SMALL.rnn + 4)
    write_up_down(folder / "wider", sizes=sizes)
    with pytest.raises(InputError, match="its signature differs"):
        compared(folder, images, "wider")


tokens = st.lists(st.integers(0, 3), max_size=6)


@given(tokens, tokens)
def test_the_first_difference_is_where_the_common_start_ends(a: list[int], b: list[int]) -> None:
    step = first_difference(a, b)
    assert (step == 0) == (a == b)
    if step:
        assert a[: step - 1] == b[: step - 1]
        assert a[:step] != b[:step]
