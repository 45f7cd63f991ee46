"""Debian packages without root: the mirror, and what is said where there is none."""

from pathlib import Path

import pytest

from capexport import debian
from capexport.errors import RuntimeMissingError

PACKAGES = debian.Packages("bookworm", "arm64", ("hello",))
TWO_LINES = "deb-src http://x.test/debian a\ndeb [arch=amd64] http://m.test/debian b c\n"
TWO_HOSTS = "deb https://other.test/repo x\ndeb http://m.test/debian/ b main\n"
FIELDS = "Types: deb\n# URIs: http://old.test/debian\nURIs: http://m.test/debian\nSuites: b\n"


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(debian, "SOURCES", tmp_path / "apt")
    (tmp_path / "apt" / "sources.list.d").mkdir(parents=True)


def test_without_a_mirror_the_reason_is_named() -> None:
    with pytest.raises(RuntimeMissingError, match="no Debian mirror"):
        debian.unpacked(PACKAGES)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list", TWO_LINES),
        ("sources.list.d/a.list", TWO_HOSTS),
        ("sources.list.d/a.sources", FIELDS),
    ],
)
def test_a_mirror_is_found_in_either_format(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "apt" / name).write_text(text)
    assert debian._mirror() == "http://m.test/debian"


def test_a_failed_download_leaves_nothing_that_looks_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apt" / "sources.list").write_text("deb http://m.invalid/debian bookworm main\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    for _ in range(2):
        with pytest.raises(RuntimeMissingError, match="apt-get failed"):
            debian.unpacked(PACKAGES)
    assert not list(tmp_path.rglob(debian.WHOLE))
