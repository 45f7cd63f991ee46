"""Which package is the TFLite interpreter, and what a bundle's minimum means for each."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from runtime import tiny_captioner

from capexport.bundle import Bundle, create_bundle
from capexport.errors import BundleError, RuntimeMissingError
from capexport.runtime import open_session
from capexport.runtime.backends import litert

ALL = {"ai-edge-litert": "2.3.0", "tensorflow-cpu": "2.21.0", "tflite-runtime": "2.14.0"}
MODULES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tensorflow-cpu": "tensorflow.lite.python.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}


def install(monkeypatch: pytest.MonkeyPatch, versions: Mapping[str, str]) -> None:
    """Make pip's records say that exactly these packages are there."""

    def version(name: str) -> str:
        if name not in versions:
            raise PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(litert, "version", version)


def bundle_that_needs(minimum: str, out: Path) -> Bundle:
    whole = tiny_captioner.litert_bundle(out / "tiny")
    files = {name: whole.read(name) for name in [*whole.manifest.graph_files, "card.md"]}
    manifest = replace(whole.manifest, files=(), minimum_runtime={"litert": minimum})
    return create_bundle(out / "other", manifest, files, force=False)


def test_the_first_of_the_list_is_chosen_and_then_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    there = dict(ALL)
    for package in ALL:
        install(monkeypatch, there)
        assert litert.installed().package == package
        del there[package]
    install(monkeypatch, {})
    with pytest.raises(RuntimeMissingError, match="litert is not installed") as caught:
        litert.installed()
    assert caught.value.hint == "pip install 'capexport[litert]'"


@pytest.mark.parametrize(
    ("package", "version", "level"),
    [
        ("ai-edge-litert", "2.3.0", "2.3.0"),
        ("ai-edge-litert", "1.4.0", "1.4.0"),
        ("tensorflow", "2.21.0", "2.1"),
        ("tensorflow-cpu", "2.22.0rc1", "2.1"),
        ("tensorflow", "2.20.0", "0"),
        ("tensorflow", "2.9.3", "0"),
        ("tflite-runtime", "2.14.0", "1.0"),
        ("tflite-runtime", "2.5.0", "0"),
    ],
)
def test_version_of_each_package_as_a_version_of_litert(
    package: str, version: str, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, {package: version})
    found = litert.installed()
    assert (str(found), found.level) == (f"{package} {version}", level)


@pytest.mark.parametrize(
    ("package", "version", "minimum"),
    [
        ("tflite-runtime", "2.14.0", "2.1"),
        ("tflite-runtime", "2.13.0", "1.0"),
        ("tensorflow", "2.20.0", "2.1"),
        ("ai-edge-litert", "2.0.3", "2.1"),
    ],
)
def test_a_package_that_is_too_old_is_refused_before_it_is_imported(
    package: str, version: str, minimum: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = bundle_that_needs(minimum, tmp_path)
    install(monkeypatch, {package: version})
    for module in MODULES.values():
        monkeypatch.setitem(sys.modules, module, None)
    needs = f"{package} {version} is installed, the bundle needs litert {minimum} or later"
    with pytest.raises(RuntimeMissingError, match=needs) as caught:
        open_session(bundle, "litert")
    assert "capexport[litert]" in caught.value.hint


class Refusing(ModuleType):
    """A package whose interpreter opens no file, and notes what it was given."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.given: dict[str, Any] = {}
        self.failure: Exception = ValueError("Didn't find op")

    def Interpreter(self, **options: Any) -> None:
        self.given = options
        raise self.failure

    def load_delegate(self, library: str, options: Mapping[str, str]) -> tuple[str, str]:
        return self.__name__, options["take"]


@pytest.mark.parametrize("package", ALL)
@pytest.mark.parametrize("packed", [False, True])
def test_file_and_delegate_are_opened_by_the_chosen_package(
    package: str, packed: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, {package: ALL[package]})
    module = Refusing(MODULES[package])
    monkeypatch.setitem(sys.modules, MODULES[package], module)
    monkeypatch.setattr(litert, "litert_delegate", lambda **_: ("lib", {"take": "packed"}))
    monkeypatch.setattr(litert.ctypes, "CDLL", lambda _: None)
    with pytest.raises(BundleError, match="Didn't find op") as caught:
        litert.open_graph(tmp_path / "encoder.tflite", 3, packed=packed)
    assert f"update {package} {ALL[package]}" in caught.value.hint
    assert module.given == {
        "model_path": str(tmp_path / "encoder.tflite"),
        "num_threads": 3,
        "experimental_delegates": [(MODULES[package], "packed")] if packed else None,
    }


def test_a_package_that_cannot_be_imported_is_named_and_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, {"tensorflow-cpu": "2.21.0", "tflite-runtime": "2.14.0"})
    monkeypatch.setitem(sys.modules, MODULES["tensorflow-cpu"], None)
    with pytest.raises(RuntimeMissingError, match=r"tensorflow-cpu 2\.21\.0 .* cannot be used"):
        litert.open_graph(tmp_path / "encoder.tflite", 1)


def test_an_interpreter_for_another_numpy_is_no_fault_of_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, {"tflite-runtime": "2.14.0"})
    module = Refusing(MODULES["tflite-runtime"])
    module.failure = SystemError("returned a result with an exception set")
    monkeypatch.setitem(sys.modules, MODULES["tflite-runtime"], module)
    with pytest.raises(RuntimeMissingError, match="cannot be used") as caught:
        litert.open_graph(tmp_path / "encoder.tflite", 1)
    assert "numpy<2" in caught.value.hint
