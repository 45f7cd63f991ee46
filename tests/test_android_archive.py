"""Native libraries in an .aar, and archives that are none."""

import zipfile
from pathlib import Path

import pytest

from capexport.android_archive import native_libraries
from capexport.errors import InputError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "some.aar", "w", zipfile.ZIP_DEFLATED) as aar:
        for name in ("arm64-v8a/lib.so", "x86_64/lib.so", "arm64-v8a/notes", "arm64-v8a/../up.so"):
            aar.writestr(f"jni/{name}", name * 99)
    return tmp_path / "some.aar"


def test_libraries_of_one_abi_under_plain_names(archive: Path) -> None:
    assert native_libraries(archive, "arm64-v8a") == {"lib.so": b"arm64-v8a/lib.so" * 99}


@pytest.mark.parametrize("damage", ["absent", "no archive", "broken stream"])
def test_what_cannot_be_read_is_said(archive: Path, damage: str) -> None:
    if damage == "absent":
        archive.unlink()
    elif damage == "no archive":
        archive.write_text("no archive")
    else:
        data = bytearray(archive.read_bytes())
        data[46:50] = b"\xff\xff\xff\xff"  # behind the first entry's header and name
        archive.write_bytes(data)
    with pytest.raises(InputError, match="cannot be read") as caught:
        native_libraries(archive, "arm64-v8a")
    assert caught.value.where == str(archive)
