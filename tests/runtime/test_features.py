"""Features files: what is read, and one error for each way to get them wrong."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from capexport.errors import InputError
from capexport.runtime import read_features

Array = NDArray[Any]
ATT = np.arange(12, dtype=np.float32).reshape(3, 4)
BOX = np.full((3, 4), 0.5, np.float32)


def saved(tmp_path: Path, **arrays: Any) -> Path:
    """An .npz file; `a__att` is stored under the key `a.att`."""
    path = tmp_path / "features.npz"
    np.savez(path, **{key.replace("__", "."): array for key, array in arrays.items()})
    return path


def test_all_parts(tmp_path: Path) -> None:
    fc = np.ones(4, np.float32)
    features = read_features(saved(tmp_path, a__att=ATT, a__fc=fc, a__box=BOX))["a"]
    np.testing.assert_array_equal(features.att, ATT)
    np.testing.assert_array_equal(features.fc, fc)
    assert features.box is not None
    np.testing.assert_array_equal(features.box, BOX)


def test_missing_fc_is_the_mean_over_regions(tmp_path: Path) -> None:
    features = read_features(saved(tmp_path, a__att=ATT))["a"]
    np.testing.assert_array_equal(features.fc, ATT.mean(axis=0))
    assert features.fc.dtype == np.float32
    assert features.box is None


def test_several_images_keep_their_order_and_names(tmp_path: Path) -> None:
    path = saved(tmp_path, **{"b__att": ATT, "a.jpg__att": ATT + 1, "b__box": BOX})
    features = read_features(path)
    assert list(features) == ["b", "a.jpg"]
    assert features["a.jpg"].att[0, 0] == 1


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_any_float_becomes_float32(tmp_path: Path, dtype: type) -> None:
    features = read_features(saved(tmp_path, a__att=ATT.astype(dtype)))["a"]
    assert features.att.dtype == np.float32
    np.testing.assert_array_equal(features.att, ATT)


@pytest.mark.parametrize("regions", [1, 100])
def test_promised_numbers_of_regions(tmp_path: Path, regions: int) -> None:
    att = np.ones((regions, 4), np.float32)
    assert read_features(saved(tmp_path, a__att=att))["a"].att.shape == (regions, 4)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"a__fc": ATT[0]}, "no region features"),
        ({"a__att": ATT, "b__box": BOX}, "no region features"),
        ({"a__att": ATT[0]}, "att has 1 axes"),
        ({"a__att": ATT[:0]}, "no region"),
        ({"a__att": ATT[:, :0]}, "no region"),
        ({"a__att": ATT, "a__fc": ATT[0, :0]}, r"fc is \[0\]"),
        ({"a__att": ATT, "a__fc": ATT[:1]}, r"fc is \[1, 4\]"),
        ({"a__att": ATT, "a__box": BOX[:2]}, r"box is \[2, 4\], not \[3, 4\]"),
        ({"a__att": ATT, "a__box": BOX[:, :3]}, r"box is \[3, 3\]"),
        ({"a__att": ATT, "a__box": BOX * 600}, r"outside \[0, 1\]"),
        ({"a__att": ATT, "a__box": -BOX}, r"outside \[0, 1\]"),
        ({"a__att": np.where(ATT == 5, np.nan, ATT)}, "NaN or infinity"),
        ({"a__att": np.where(ATT == 5, np.inf, ATT)}, "NaN or infinity"),
        ({"a__att": np.full((3, 4), 1e300)}, "NaN or infinity"),
        ({"a__att": ATT, "a__fc": ATT[0] * np.nan}, "NaN or infinity"),
        ({"a__att": ATT.astype(np.int64)}, "must be float, these are int64"),
        ({"a__att": ATT.astype(np.uint8)}, "must be float, these are uint8"),
        ({"a__att": ATT.astype(complex)}, "must be float, these are complex128"),
        ({"a__att": ATT.astype(str)}, "must be float"),
        ({"a__att": ATT.astype(object)}, "cannot be read.*allow_pickle"),
        ({"a__attention": ATT}, "key 'a.attention' is unknown"),
        ({"att": ATT}, "key 'att' is unknown"),
        ({}, "the file has no features"),
    ],
)
def test_contents_that_are_refused(tmp_path: Path, arrays: dict[str, Array], message: str) -> None:
    path = saved(tmp_path, **arrays)
    with pytest.raises(InputError, match=message) as caught:
        read_features(path)
    assert str(path) in caught.value.where


def npy(array: Array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def header(text: str) -> bytes:
    """An .npy file whose header is `text`, which numpy reads as Python source."""
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def zipped(member: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.att.npy", member)
    return stream.getvalue()


HUGE = npy(ATT).replace(b"(3, 4), }" + b" " * 15, b"(9000000000000000, 4), }")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"is no \.npz file"),
        (b"\x80\x04N.", r"is no \.npz file"),
        (npy(ATT), r"is no \.npz file"),
        (zipped(b"hello"), "must be float, these are no array"),
        (zipped(npy(ATT)[:-8]), "cannot be read"),
        (zipped(npy(ATT)[:20]), "cannot be read"),
        (zipped(HUGE), "cannot be read|more data than fits"),
        (zipped(header("{'descr': '<f4', 'shape': (")), "cannot be read"),
        (zipped(header("{'descr': '''")), "cannot be read"),
        (zipped(header("  {\n 'descr': 1L")), "cannot be read"),
        (zipped(npy(ATT).replace(b"(3, 4), }" + b" " * 23, b"(%d, 4), }" % 10**30)), "cannot be"),
        (zipped(npy(ATT))[:-40], r"is no \.npz file|cannot be read"),
    ],
    ids=[
        "empty",
        "pickle",
        "npy",
        "text",
        "short data",
        "short header",
        "huge",
        "open bracket",
        "open string",
        "bad indent",
        "beyond 64 bits",
        "cut zip",
    ],
)
def test_files_that_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "features.npz"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_features(path)


def test_the_huge_file_claims_what_its_name_says() -> None:
    assert len(HUGE) == len(npy(ATT))
    assert b"9000000000000000" in HUGE


def test_damaged_bytes_inside_the_archive(tmp_path: Path) -> None:
    path = saved(tmp_path, a__att=ATT)
    data = bytearray(path.read_bytes())
    data[200] ^= 0xFF  # inside the array, so that the zip checksum fails
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot be read"):
        read_features(path)


def test_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_features(tmp_path / "nothing.npz")


def test_golden_inputs_are_read(shared_data: Path) -> None:
    features = read_features(shared_data / "golden" / "inputs_synth.npz")
    assert [len(image.att) for image in features.values()] == [10, 20, 36, 36, 1, 50]
