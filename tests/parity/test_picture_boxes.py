"""A relation transformer on pictures: the cells of any image encoder's grid are its boxes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from image_nets import SMALL_IMAGE, images, small_image_encoder
from PIL import Image
from transformer_checkpoints import SMALL, write_transformer

import capexport.export
from capexport.bundle import open_bundle
from capexport.captioner import Captioner, build_captioner, with_image_encoder
from capexport.captioner.image_captioner import grid_boxes
from capexport.captioner.search import beam_search
from capexport.checkpoint import read_checkpoint
from capexport.export import export
from capexport.runtime import RUNTIMES, Features, caption, encoder_inputs, open_session
from capexport.runtime.inputs import read_inputs
from capexport.spec.signature import IMAGE

ENCODER = small_image_encoder()
SIZES = replace(SMALL, features=ENCODER.channels)
TOLERANCE = 4e-4
"""Of what the decoder reads and of log-probabilities; that of test_transformer_parity.py."""
STATIC = "encoder=static_wi8_ai8,decoder=dynamic_wi8"
LEAST_COSINE = 0.98
"""Of what the decoder reads, in int8 and in torch: two small encoders of random weights."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_transformer(tmp_path_factory.mktemp("relation") / "checkpoint", sizes=SIZES)


@pytest.fixture(scope="module")
def captioner(checkpoint: Path) -> Captioner:
    return build_captioner(read_checkpoint(checkpoint))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number, image in enumerate(images(8, (23, 31))):
        Image.fromarray(image[0].numpy()).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def bundles(checkpoint: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capexport.export, "read_image_encoder", lambda _: ENCODER)
        export(checkpoint, out / "fp32", encoder="small.pth", recipe="fp32")
        export(checkpoint, out / "int8", encoder="small.pth", recipe=STATIC, calibration=pictures)
    return out


@torch.no_grad()
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_captions_of_pictures_are_torchs(
    captioner: Captioner, bundles: Path, pictures: Path, runtime: str
) -> None:
    session = open_session(open_bundle(bundles / "fp32"), runtime)
    of_pictures = with_image_encoder(captioner, ENCODER)
    for file in sorted(pictures.iterdir())[:3]:
        (picture,) = read_inputs(file, SMALL_IMAGE).values()
        pixels = torch.from_numpy(picture.pixels)
        (att,) = ENCODER.module(pixels)
        features = Features(att.numpy(), att.mean(0).numpy(), grid_boxes(*ENCODER.grid).numpy())
        given = encoder_inputs(captioner.signature, features)
        memory = captioner.encoder(*(torch.from_numpy(a) for a in given.values()))
        encoded = session.encode({IMAGE: picture.pixels})
        for spec, expected in zip(captioner.signature.encoder_outputs, memory, strict=True):
            np.testing.assert_allclose(encoded[spec.name], expected, rtol=0, atol=TOLERANCE)
        best = beam_search(of_pictures, 3, pixels)[0]
        got = caption(session, picture, 3)
        assert got.tokens == list(best.tokens)
        assert got.log_prob == pytest.approx(best.log_prob, abs=TOLERANCE)


@torch.no_grad()
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_int8_keeps_what_the_decoder_reads(
    captioner: Captioner, bundles: Path, pictures: Path, runtime: str
) -> None:
    session = open_session(open_bundle(bundles / "int8"), runtime)
    of_pictures = with_image_encoder(captioner, ENCODER)
    for file in sorted(pictures.iterdir())[:3]:
        (picture,) = read_inputs(file, SMALL_IMAGE).values()
        encoded = session.encode({IMAGE: picture.pixels})
        exact = of_pictures.encoder(torch.from_numpy(picture.pixels))
        for spec, expected in zip(captioner.signature.encoder_outputs, exact, strict=True):
            got, wanted = encoded[spec.name].ravel(), expected.numpy().ravel()
            norms = np.linalg.norm(got) * np.linalg.norm(wanted)
            assert float(got @ wanted / norms) >= LEAST_COSINE
        assert caption(session, picture, 2).text
