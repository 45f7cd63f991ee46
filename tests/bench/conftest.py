"""Small bundles of each kind of signature: LSTM states, caches that the host writes, pictures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from checkpoints import write_up_down
from image_nets import images, small_image_encoder
from PIL import Image
from transformer_checkpoints import write_transformer

import capexport.export
from capexport.bench.devices.host import Host
from capexport.bundle import Bundle
from capexport.export import export

STATIC = "encoder=static_wi8_ai8,decoder=dynamic_wi8"
KINDS = ("up_down", "transformer", "pictures")


@pytest.fixture(scope="session")
def up_down(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("up_down")
    return export(write_up_down(folder / "checkpoint"), folder / "bundle", weights="packed")


@pytest.fixture(scope="session")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("transformer")
    return export(write_transformer(folder / "checkpoint"), folder / "bundle")


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("pictures")
    for number, image in enumerate(images(3, (23, 31))):
        Image.fromarray(image[0].numpy()).save(folder / f"{number}.png")
    checkpoint = write_up_down(folder / "checkpoint")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(capexport.export, "read_image_encoder", lambda _: small_image_encoder())
        return export(
            checkpoint, folder / "bundle", encoder="small", recipe=STATIC, calibration=folder
        )


@pytest.fixture(scope="session", params=KINDS)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    found: Bundle = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as target:
        yield target


@pytest.fixture
def made(up_down: Bundle, tmp_path: Path) -> Path:
    """A report of a real, short run."""
    from capexport.bench import Settings, bench, write_report

    settings = Settings("litert", beam=2, rounds=2, samples=4, warm_up=1)
    write_report(bench(up_down, "host", settings), tmp_path / "made.json")
    return tmp_path / "made.json"
