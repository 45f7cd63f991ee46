"""Damaged weights under the address and undefined behaviour sanitizers, threads under their own."""

import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from cksb_blobs import DEFECTS
from sanitized import SANITIZE, SANITIZE_THREADS, sanitized

from capexport.kernels import cksb
from capexport.kernels.build import KERNELS, c_files
from capexport.kernels.cksb.row_floats import round_bias, scales_of
from capexport.kernels.selftest import random_weights

BLOBS, PARTS = 3000, 40


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sanitized")
    return sanitized(folder, SANITIZE, [*c_files("src"), Path(__file__).with_name("damage.c")])


def sparse_blob(
    rng: np.random.Generator, rows: int, columns: int, sparsity: float, version: int
) -> bytes:
    """Of version 3, with floats."""
    weights = random_weights(rng, rows, columns, sparsity)
    if version < 3:
        return cksb.encode(weights, version=version)
    codes, bias = rng.integers(-200, -100, rows), rng.normal(size=rows).astype(np.float32)
    return cksb.pack_rows(cksb.Rows(weights, scales_of(codes), round_bias(bias)))[0]


def refused(program: Path, file: Path, blobs: list[bytes]) -> int:
    return count(program, file, b"".join(struct.pack("<I", len(blob)) + blob for blob in blobs))


def count(program: Path, file: Path, content: bytes, *options: str) -> int:
    """What the program prints: how many were refused."""
    file.write_bytes(content)
    command = [str(program), str(file), *options]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    return int(result.stdout)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_sound_blobs(program: Path, tmp_path: Path, version: int) -> None:
    rng = np.random.default_rng(0)
    shapes = [(1, 1), (1, 700), (33, 1), (17, 129), (16, 64), (5, 65535)]
    blobs = [sparse_blob(rng, *shape, s, version) for shape in shapes for s in (0.0, 0.9, 1.0)]
    assert refused(program, tmp_path / "blobs", blobs) == 0


def test_blobs_with_one_defect(program: Path, tmp_path: Path) -> None:
    """Each is as long as it says, unless that is its defect: nothing behind it may be read."""
    blobs = [blob for blob, _ in DEFECTS.values() if blob]
    assert refused(program, tmp_path / "blobs", blobs) == len(blobs)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_damaged_blobs(program: Path, tmp_path: Path, version: int) -> None:
    rng = np.random.default_rng(1)
    blobs = []
    for i in range(BLOBS):
        if i % (BLOBS // PARTS) == 0:
            rows, columns = int(rng.integers(1, 40)), int(rng.integers(1, 900))
            whole = sparse_blob(rng, rows, columns, 0.97, version)
        damaged = np.frombuffer(whole, np.uint8).copy()
        for at in rng.integers(damaged.size, size=rng.integers(1, 4)):
            damaged[at] = rng.integers(256)
        end = rng.integers(damaged.size) if i % 10 == 0 else damaged.size
        blobs.append(damaged[:end].tobytes())
    assert BLOBS / 4 < refused(program, tmp_path / "blobs", blobs) < BLOBS


def compressed_rows(rng: np.random.Generator, damage: int) -> bytes:
    """One record of the program's second form, `damage` of its numbers replaced."""
    rows, columns = int(rng.integers(1, 40)), int(rng.integers(1, 900))
    weights = random_weights(rng, rows, columns, rng.choice([0.5, 0.97, 1.0]))
    at_row, column = np.nonzero(weights)
    start = np.searchsorted(at_row, np.arange(rows + 1)).astype("<i4")
    indices = column.astype("<i4")
    for _ in range(damage):
        numbers = [part for part in (start, indices) if part.size][rng.integers(2) - 1]
        numbers[rng.integers(numbers.size)] = rng.choice([-1, 0, 1, columns, 2**31 - 1, -(2**31)])
    head = struct.pack("<iii", rows, columns, column.size)
    return head + start.tobytes() + indices.tobytes() + weights[at_row, column].tobytes()


def test_compressed_rows(program: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    sound = b"".join(compressed_rows(rng, 0) for _ in range(60))
    assert count(program, tmp_path / "rows", sound, "rows") == 0
    damaged = b"".join(compressed_rows(rng, 1 + i % 3) for i in range(600))
    assert 400 < count(program, tmp_path / "rows", damaged, "rows") < 600


def test_threads_do_every_part_once(tmp_path: Path) -> None:
    """And the thread sanitizer finds no race between jobs, callers and the pool's end."""
    sources = [
        KERNELS / "adapters" / "litert" / "thread_pool.c",
        Path(__file__).with_name("share.c"),
    ]
    program = sanitized(tmp_path, SANITIZE_THREADS, sources)
    result = subprocess.run(
        [str(program)], capture_output=True, text=True, timeout=300, check=False
    )
    assert (result.stdout.strip(), result.returncode) == ("0", 0), result.stderr[-2000:]
