"""The delegate's threads give the same bits, and its report says what it did."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from stock_files import StockFile, Type, one_layer
from stock_meaning import meaning
from stock_runs import KINDS, delegated, layer_of, report_of, x_of

from capexport.errors import InputError
from capexport.kernels import read_report


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("rows", [16, 512, 513, 3001])
def test_every_number_of_threads_gives_the_same_bits(rows: int, kind: tuple[str, str]) -> None:
    layer = layer_of(rows, 300, 0.9, kind)
    data = one_layer(layer)
    several = [delegated(data, threads=threads) for threads in (1, 2, 4)]
    for n in (1, 3, 36):
        expected = meaning(layer, x_of(layer, n))
        for opened in several:
            np.testing.assert_array_equal(
                opened.run(x_of(layer, n))[0].reshape(expected.shape), expected
            )


def test_threads_lose_no_part_of_many_products() -> None:
    """Products one right after the other: workers are late, asleep, or still inside."""
    layer = layer_of(3001, 64, 0.9)
    opened = delegated(one_layer(layer), threads=4)
    inputs = [x_of(layer, 1, seed) for seed in range(8)]
    expected = [meaning(layer, x) for x in inputs]
    for i in range(400):
        np.testing.assert_array_equal(opened.run(inputs[i % 8])[0], expected[i % 8])


AFTER_FORK = """
import os, signal, sys
import numpy as np
from stock_files import one_layer
from stock_runs import delegated, layer_of, x_of

layer = layer_of(512, 64, 0.9)
opened = delegated(one_layer(layer), threads=3)
expected = opened.run(x_of(layer, 1))[0]
child = os.fork()
if child == 0:
    signal.alarm(20)  # a child that waits for threads it does not have would never end
    same = np.array_equal(opened.run(x_of(layer, 1))[0], expected)
    del opened
    os._exit(0 if same else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_after_fork_computes_and_ends() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", AFTER_FORK],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(["tests", *sys.path])},
        check=False,
    )
    assert run.returncode == 0


def test_each_packing_has_a_line(tmp_path: Path) -> None:
    layer, path = layer_of(4000, 2100, 0.985), tmp_path / "report"
    opened = delegated(one_layer(layer), report=path)
    for n in (1, 2, 3):
        opened.run(x_of(layer, n))
    lines = read_report(path)
    assert len(lines) == 1, "the same form serves one to three rows"
    assert lines[0].rows_of_x == 1
    assert lines[0].weights == "w"
    assert 0 < lines[0].bytes < layer.weight.size


def test_a_name_cannot_break_the_report(tmp_path: Path) -> None:
    file = StockFile()
    x = file.tensor("x", (1, 13), Type.FLOAT32)
    y = file.layer(layer_of(7, 13, 0.9), x, "\tz\nä")
    (line,) = report_of(file.serialize([x], [y]), tmp_path / "report", np.ones((1, 13), np.float32))
    assert line.weights == "w?z?ä"


@pytest.mark.parametrize("content", [None, "", "node\n", "a\tb\n1\t2\n"])
def test_what_is_no_report(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "report"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match="no report of the LiteRT delegate"):
        read_report(path)
