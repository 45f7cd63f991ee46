"""The app's Kotlin against our classes, Android 6 and coroutines; of androidx only signatures."""

from pathlib import Path

import pytest
from java_tests import absent
from kotlin_app import STUBS, compile_app, fetched, kotlin_files, version

from capexport.android.tools import find_tools
from capexport.errors import RuntimeMissingError


@pytest.fixture(scope="module")
def compiler() -> Path:
    """It takes 90 MB, so that nobody is made to fetch it."""
    jars = fetched()
    if jars is None:
        pytest.skip(f"no Kotlin {version()} here: python tests/kotlin_app.py fetches it")
    return jars


def test_the_app_compiles(compiler: Path, tmp_path: Path) -> None:
    """With the Compose plugin, which has rules of its own, every warning an error."""
    try:
        tools = find_tools()
    except RuntimeMissingError as error:
        absent(str(error))
        raise
    compile_app(compiler, tools, tmp_path)
    compiled = {file.stem for file in (tmp_path / "org/capexport/demo").rglob("*.class")}
    for file in kotlin_files():
        assert {file.stem, f"{file.stem}Kt"} & compiled, file


def test_no_stub_stands_for_what_is_ours() -> None:
    for file in STUBS.iterdir():
        if file.suffix in {".kt", ".java"}:
            assert "package android" in file.read_text(), file
            assert "org.capexport" not in file.read_text(), file
