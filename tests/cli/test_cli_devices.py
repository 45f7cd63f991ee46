"""`capexport devices`: what is ready, what is missing, and fetching it; the network is a fake."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from capexport.bench.devices import parts
from capexport.bench.devices.parts import Part
from capexport.cli import main
from capexport.errors import RuntimeMissingError


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def fetching(monkeypatch: pytest.MonkeyPatch, fetch: Callable[[Path], None]) -> None:
    for name, part in parts.PARTS.items():
        monkeypatch.setitem(parts.PARTS, name, replace(part, fetch=fetch))


def test_what_is_missing_comes_with_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices"]) == 0
    shown = capsys.readouterr().out
    ready = dict(line.split() for line in shown.splitlines() if len(line.split()) == 2)
    assert ready["host"] == "yes"
    assert ready["qemu:cortex-a76"] == ready["qemu-system:cortex-a76"] == "no"
    assert "capexport devices --install arm64-root" in shown
    assert "capexport devices --install arm64-machine" in shown


def test_json_has_every_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["host"] == {"name": "host", "ready": True, "lacks": []}
    assert not found["qemu:cortex-a53"]["ready"]


def test_parts_are_fetched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Path] = []
    fetching(monkeypatch, fetched.append)
    assert main(["devices", "--install", "llvm"]) == 0
    assert main(["devices", "--install", "all"]) == 0
    assert len(fetched) == len(parts.PARTS)
    assert all(part.is_there for part in parts.PARTS.values())


def test_a_fetch_that_fails_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeMissingError("the archive is away", where="apt-get", hint="try again")

    fetching(monkeypatch, fails)
    assert main(["devices", "--install", "llvm"]) == 1
    assert "the archive is away" in capsys.readouterr().err
    assert list(parts.cache_folder().iterdir()) == []


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices", "--install", "toaster"]) == 1
    assert "there is no part 'toaster'" in capsys.readouterr().err


def test_a_part_names_its_command(tmp_path: Path) -> None:
    part = Part("x", "y", 3, lambda folder: None)
    assert part.path == tmp_path / "capexport" / "devices" / "x"
    with pytest.raises(RuntimeMissingError, match="x is needed for y"):
        part.needed()
