"""Stored entries of an APK begin where Android maps them, whatever lies before them."""

import zipfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from capexport.android.zip_alignment import align, misaligned

NAMES = ("classes.dex", "lib/arm64-v8a/liba.so", "assets/ä.tflite", "assets/b.onnx", "x")


def write(path: Path, sizes: list[int], year: int = 2000) -> None:
    """A zip with stored and compressed entries of those sizes."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, size in enumerate(sizes):
            entry = zipfile.ZipInfo(f"{number}/{NAMES[number % len(NAMES)]}", (year, 1, 1, 0, 0, 0))
            kinds = (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)
            entry.compress_type = kinds[number % len(NAMES) > 0]
            archive.writestr(entry, bytes(range(256)) * (size // 256) + bytes(size % 256))


@given(st.lists(st.integers(0, 70_000), max_size=7))
def test_entries_are_aligned_and_unchanged(tmp_path_factory, sizes: list[int]) -> None:
    folder = tmp_path_factory.mktemp("zip")
    write(folder / "in.apk", sizes)
    align(folder / "in.apk", folder / "out.apk")
    assert misaligned(folder / "out.apk") == []
    with zipfile.ZipFile(folder / "in.apk") as old, zipfile.ZipFile(folder / "out.apk") as new:
        assert new.namelist() == old.namelist()
        assert new.testzip() is None
        assert all(new.read(name) == old.read(name) for name in old.namelist())


def test_a_library_that_lies_elsewhere_is_named(tmp_path: Path) -> None:
    write(tmp_path / "in.apk", [100, 5000])
    assert misaligned(tmp_path / "in.apk") == ["1/lib/arm64-v8a/liba.so"]


def test_the_date_of_the_build_is_not_in_it(tmp_path: Path) -> None:
    for year in (2000, 2020):
        write(tmp_path / f"{year}.apk", [300, 10, 0], year)
        align(tmp_path / f"{year}.apk", tmp_path / f"{year}.aligned")
    assert (tmp_path / "2000.aligned").read_bytes() == (tmp_path / "2020.aligned").read_bytes()
