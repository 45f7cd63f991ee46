"""The runner's search against runtime/decode.py, on tables with many ties and every rule."""

import ctypes
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from capexport.bench.measurement import RUNNER
from capexport.kernels.build import KERNELS
from capexport.kernels.compiler import find_compiler, run_compiler
from capexport.kernels.targets import COMPILER_FLAGS, TARGETS
from capexport.runtime import Hypothesis, beam_search
from capexport.spec.decoding import Decoding

STATES, VOCABULARY = 7, 6
LEVELS = 4
"""Different log-probabilities in a table: most sums are equal to another one."""
SEEDS = 40
RULES = [
    {"refill": False, "suppress_unk": suppress, "unk": unk}
    for suppress, unk in ((False, 4), (True, 4), (True, None))
] + [
    {"refill": True, "length_penalty": penalty, "early_stopping": early}
    for penalty, early in product((0.0, 0.7, 1.0, -1.0), (False, True))
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder, runner = tmp_path_factory.mktemp("search"), Path(RUNNER.folders[0])
    own = Path(__file__).with_name("table_search.c")
    sources = [own, runner / "search.c", runner / "failure.c"]
    include = [f"-I{runner}", f"-I{KERNELS / 'include'}"]
    command = [*find_compiler(TARGETS["host"]), *COMPILER_FLAGS, *include, "-Werror", "-shared"]
    run_compiler([*command, *map(str, sources), "-o", "search.so", "-lm"], folder)
    return ctypes.CDLL(str(folder / "search.so"))


def in_c(library: ctypes.CDLL, table: NDArray[np.float32], rule: Decoding, beam: int) -> Hypothesis:
    numbers = (
        *(rule.bos, rule.eos, -1 if rule.unk is None else rule.unk, rule.max_length),
        *(rule.suppress_unk, rule.refill, rule.early_stopping),
    )
    tokens, log_prob = (ctypes.c_int32 * rule.max_length)(), ctypes.c_float()
    length = library.table_search(
        table.ctypes.data_as(ctypes.c_void_p),
        STATES,
        VOCABULARY,
        beam,
        (ctypes.c_int32 * len(numbers))(*map(int, numbers)),
        ctypes.c_double(rule.length_penalty),
        tokens,
        ctypes.byref(log_prob),
    )
    return Hypothesis(tuple(tokens[:length]), log_prob.value)


def in_python(table: NDArray[np.float32], rule: Decoding, beam: int) -> Hypothesis:
    def step(token: NDArray[np.int32], states: dict[str, NDArray[np.int32]]):
        following = (states["s"] * 31 + token) % STATES
        return table[following], {"s": following}

    return beam_search(step, {"s": np.zeros(beam, np.int32)}, rule, beam)[0]


@pytest.mark.parametrize("beam", [1, 2, 3, 6])
@pytest.mark.parametrize("options", RULES, ids=[str(i) for i in range(len(RULES))])
def test_the_best_caption_is_that_of_python(
    library: ctypes.CDLL, options: dict[str, object], beam: int
) -> None:
    lengths = set()
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        table = -rng.integers(1, LEVELS + 1, (STATES, VOCABULARY)).astype(np.float32) / 8
        fields = {"unk": None, **options}
        rule = Decoding(bos=1, eos=2, pad=0, max_length=1 + seed % 9, beam=beam, **fields)
        expected = in_python(table, rule, beam)
        assert in_c(library, table, rule, beam) == expected
        lengths.add(len(expected.tokens))
    # A beam as wide as the vocabulary finds an end at once.
    assert len(lengths) > 2 or beam == VOCABULARY
