"""The core of android_demo as classes, and the goldens of its tests."""

from pathlib import Path

import pytest
from android_goldens import captions
from android_goldens.__main__ import write
from java_tests import CORE, CORE_TESTS, GOLDENS, compile_java, junit_jars


@pytest.fixture(scope="session")
def core_classes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Class path of the core with its tests."""
    jars, out = junit_jars(), tmp_path_factory.mktemp("classes")
    compile_java([CORE, GOLDENS, CORE_TESTS], jars, out)
    return [out, *jars]


@pytest.fixture(scope="session")
def goldens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Python makes of the same inputs."""
    folder = tmp_path_factory.mktemp("goldens")
    write(folder)
    return folder


@pytest.fixture(scope="session")
def caption_goldens(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exported bundles, inputs, and the captions that Python's runtimes make of them."""
    folder = tmp_path_factory.mktemp("captions")
    captions.write(folder, shared_data)
    return folder
