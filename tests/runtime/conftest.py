"""The tiny captioner as a bundle and as an open session, in every runtime."""

from collections.abc import Callable
from pathlib import Path

import pytest
from runtime import tiny_captioner

from capexport.bundle import Bundle
from capexport.runtime import RUNTIMES, Session, open_session

BUNDLES: dict[str, Callable[[Path], Bundle]] = {
    "litert": tiny_captioner.litert_bundle,
    "onnxruntime": tiny_captioner.onnx_bundle,
}


@pytest.fixture(scope="session", params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def bundle(runtime: str, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return BUNDLES[runtime](tmp_path_factory.mktemp(runtime) / "tiny")


@pytest.fixture(scope="session")
def session(runtime: str, bundle: Bundle) -> Session:
    return open_session(bundle, runtime)
