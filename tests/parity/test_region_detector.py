"""The region detector from picture to caption: torch, LiteRT and ONNX Runtime find one thing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from encoder_weights import random_state
from image_nets import images
from litert_files import open_file, plan
from PIL import Image
from transformer_checkpoints import SMALL, write_transformer

from capexport.captioner import build_captioner
from capexport.captioner.encoders.region_detector import (
    ANCHORS,
    BACKBONE,
    TrainedDetector,
    detector_shapes,
    read_region_detector,
)
from capexport.captioner.search import beam_search
from capexport.checkpoint import read_checkpoint
from capexport.errors import BundleError, CheckpointError, InputError
from capexport.export import export
from capexport.export_detector import export_detector
from capexport.runtime import (
    RUNTIMES,
    Features,
    caption,
    encoder_inputs,
    open_detector,
    open_session,
)
from capexport.runtime.regions import choose_regions
from capexport.spec.image import ImageSpec

PICTURE = ImageSpec(96, 64, None)
GRID, REGIONS = (3, 2), 5
TOLERANCE = 1e-4
"""Of numbers near 1, behind 54 layers of float32."""
CAPTION_TOLERANCE = 4e-4
"""nats; that of tests/parity/test_transformer_parity.py."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights, pictures, and the detector's folders by recipe."""
    folder = tmp_path_factory.mktemp("detector")
    torch.save(random_state(detector_shapes()), folder / "detector.pth")
    (folder / "pictures").mkdir()
    for number, image in enumerate(images(3, (60, 90))):
        Image.fromarray(image[0].numpy()).save(folder / "pictures" / f"{number}.png")
    weights, pictures = folder / "detector.pth", folder / "pictures"
    export_detector(weights, folder / "fp32", image=PICTURE)
    export_detector(
        weights, folder / "int8", recipe="static_wi8_ai8", calibration=pictures, image=PICTURE
    )
    return folder


@pytest.fixture(scope="module")
def detector(folder: Path) -> TrainedDetector:
    return read_region_detector(folder / "detector.pth", PICTURE)


@torch.no_grad()
def in_torch(detector: TrainedDetector, pixels: np.ndarray) -> list[np.ndarray]:
    return [output.numpy() for output in detector.module(torch.from_numpy(pixels))]


@torch.no_grad()
def test_boxes_are_those_of_the_equation(detector: TrainedDetector) -> None:
    """Candidate by candidate, from the numbers of the head; features are the backbone's cells."""
    pixels = torch.randint(0, 256, PICTURE.shape, dtype=torch.uint8)
    maps = detector.module.backbone.maps(pixels)
    heads = [
        head(maps.permute(0, 3, 1, 2))[0].double().numpy()
        for head in (detector.module.boxes, detector.module.scores)
    ]
    numbers, scores = (1 / (1 + np.exp(-head)) for head in heads)
    box, score, features = in_torch(detector, pixels.numpy())
    assert (len(box), len(features)) == (GRID[0] * GRID[1] * len(ANCHORS), GRID[0] * GRID[1])
    for i in range(len(box)):
        cell, anchor = divmod(i, len(ANCHORS))
        row, column = divmod(cell, GRID[1])
        x, y, w, h = numbers[anchor * 4 : anchor * 4 + 4, row, column]
        centre = np.array([(column - 0.5 + 2 * x) / GRID[1], (row - 0.5 + 2 * y) / GRID[0]])
        size = np.array([4 * w**2 * ANCHORS[anchor][0], 4 * h**2 * ANCHORS[anchor][1]])
        expected = np.concatenate([centre - size / 2, centre + size / 2])
        np.testing.assert_allclose(box[i], expected, rtol=0, atol=1e-5)
        assert score[i, 0] == pytest.approx(scores[anchor, row, column], abs=1e-6)
        np.testing.assert_array_equal(features[cell], maps[0, row, column])


def test_regions_of_files_caption_as_torchs_do(
    folder: Path, detector: TrainedDetector, tmp_path: Path
) -> None:
    sizes = replace(SMALL, features=BACKBONE.channels)
    checkpoint = write_transformer(tmp_path / "checkpoint", sizes=sizes)
    captioner = build_captioner(read_checkpoint(checkpoint))
    bundle = export(checkpoint, tmp_path / "bundle", recipe="fp32")
    for runtime in RUNTIMES:
        opened, session = open_detector(folder / "fp32", runtime), open_session(bundle, runtime)
        for file in sorted((folder / "pictures").iterdir()):
            picture = opened.read(file)
            got = opened.regions(picture, most=REGIONS)
            expected = choose_regions(*in_torch(detector, picture.pixels), most=REGIONS)
            assert_same(got, expected)
            given = encoder_inputs(captioner.signature, expected)
            best = beam_search(captioner, 3, *(torch.from_numpy(a) for a in given.values()))[0]
            found = caption(session, got, 3)
            assert found.tokens == list(best.tokens)
            assert found.log_prob == pytest.approx(best.log_prob, abs=CAPTION_TOLERANCE)


def assert_same(got: Features, expected: Features) -> None:
    for one, other in ((got.box, expected.box), (got.att, expected.att), (got.fc, expected.fc)):
        assert one is not None
        assert other is not None
        np.testing.assert_allclose(one, other, rtol=0, atol=TOLERANCE * np.abs(other).max())


def test_int8_finds_the_same_in_both_runtimes(folder: Path) -> None:
    first, second = (open_detector(folder / "int8", runtime) for runtime in RUNTIMES)
    for file in sorted((folder / "pictures").iterdir()):
        picture = first.read(file)
        assert_same(first.regions(picture), second.regions(picture))


@pytest.mark.parametrize(("recipe", "least"), [("fp32", 0), ("int8", 50)])
def test_the_graph_is_one_partition(folder: Path, recipe: str, least: int) -> None:
    data = (folder / recipe / "regions.tflite").read_bytes()
    interpreter = open_file(data)
    interpreter.allocate_tensors()
    found = plan(interpreter)
    assert len(found.pieces) == 1
    assert set(found.builtin) == {"CAST"}
    int8 = [t for t in interpreter.get_tensor_details() if t["dtype"] is np.int8]
    assert len(int8) >= least


def test_keys_must_be_the_detectors(folder: Path, tmp_path: Path) -> None:
    state = torch.load(folder / "detector.pth")
    torch.save({**state, "masks.0.weight": torch.zeros(1)}, tmp_path / "more.pth")
    with pytest.raises(CheckpointError, match=r"masks\.0\.weight is no weight"):
        read_region_detector(tmp_path / "more.pth")
    state.pop("scores.1.bias")
    torch.save(state, tmp_path / "less.pth")
    with pytest.raises(CheckpointError, match=r"scores\.1\.bias is missing"):
        read_region_detector(tmp_path / "less.pth")


def test_a_folder_must_be_whole(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in (folder / "fp32").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    (copy / "regions.onnx").write_bytes(b"another")
    with pytest.raises(BundleError, match=r"regions\.onnx is missing or was changed"):
        open_detector(copy, "litert")
    with pytest.raises(BundleError, match="no region detector"):
        open_detector(tmp_path, "litert")
    with pytest.raises(InputError, match="no runtime"):
        open_detector(folder / "fp32", "another")
    with pytest.raises(BundleError, match="exists"):
        export_detector(folder / "no-such-weights.pth", folder / "fp32", image=PICTURE)
