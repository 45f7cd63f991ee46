"""Pickles as plain values: what an infos file holds is read, and nothing in it is ever called.

A reader that followed the hostile files would not come back, or not with this much memory.
"""

import argparse
import collections
import os
import pickle
import pickletools
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capexport.checkpoint.image_captioning_pytorch.pickled_values import read_pickle
from capexport.errors import CheckpointError

PROTOCOLS = (0, 1, 2, 3, 4)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
plain = st.recursive(
    scalars, lambda x: st.lists(x) | st.dictionaries(st.text(), x) | st.tuples(x, x), max_leaves=20
)


@given(plain, st.sampled_from(PROTOCOLS))
def test_plain_values_come_back(value: Any, protocol: int) -> None:
    assert read_pickle(pickle.dumps(value, protocol), "here") == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_an_infos_file_holds(protocol: int) -> None:
    infos = {
        "opt": argparse.Namespace(rnn_size=512, id="td"),
        "histories": collections.defaultdict(dict, {"loss": {1: 2.5}}),
        "order": collections.OrderedDict(b=1, a=2),
        "seen": {3, 4},
        "best": np.float64(1.25),
        "count": np.int32(-7),
        "flag": np.bool_(True),
        "raw": b"\x00\xff",
    }
    read = read_pickle(pickle.dumps(infos, protocol), "here")
    assert isinstance(read, dict)
    assert read["opt"].state == {"rnn_size": 512, "id": "td"}
    assert read["histories"] == {"loss": {1: 2.5}}
    assert list(read["order"].items()) == [("b", 1), ("a", 2)]
    assert sorted(read["seen"]) == [3, 4]
    assert (read["best"], read["count"], read["flag"]) == (1.25, -7, True)
    assert read["raw"] == b"\x00\xff"


def test_what_python_2_wrote() -> None:
    """Protocol 0: strings of bytes, a Namespace by copy_reg, numpy by its old module's name."""
    text = (
        b"(dp0\nS'opt'\np1\nccopy_reg\n_reconstructor\np2\n(cargparse\nNamespace\np3\n"
        b"c__builtin__\nobject\np4\nNtp5\nRp6\n(dp7\nS'caf\\xe9'\np8\nI01\nsbs"
        b"S'best'\np9\ncnumpy.core.multiarray\nscalar\np10\n(cnumpy\ndtype\np11\n"
        b"(S'f8'\np12\nI0\nI1\ntp13\nRp14\n(I3\nS'<'\np15\nNNNI-1\nI-1\nI0\ntp16\nb"
        b"S'\\x00\\x00\\x00\\x00\\x00\\x00\\xf0?'\np17\ntp18\nRp19\ns."
    )
    read = read_pickle(text, "here")
    assert isinstance(read, dict)
    assert read["opt"].state == {"café": True}
    assert read["best"] == 1.0


class Call:
    """Pickles into a call."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


def refused(data: bytes, what: str) -> None:
    with pytest.raises(CheckpointError, match=what) as error:
        read_pickle(data, "infos.pkl")
    assert error.value.where == "infos.pkl"
    assert error.value.hint


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_call_is_named_and_not_made(tmp_path: Path, protocol: int) -> None:
    proof = tmp_path / "proof"
    data = pickle.dumps({"opt": Call(os.system, (f"touch {proof}",))}, protocol)
    refused(data, r"names (posix|nt)\.system")
    refused(pickle.dumps(Call(eval, ("1",)), protocol), r"names (__builtin__|builtins)\.eval")
    assert not proof.exists()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"(S'touch x'\nios\nsystem\n.", "opcode INST"),
        (b"(cos\nsystem\nS'touch x'\no.", "names os.system"),
        (b"Pperson\n.", "opcode PERSID"),
        (b"\x80\x02\x82\x01.", "opcode EXT1"),
        (b"c__builtin__\ngetattr\n.", r"names __builtin__\.getattr"),
        (b"cnumpy.core.multiarray\n_reconstruct\n.", "names numpy.core.multiarray._reconstruct"),
        (b"cargparse\nNamespace.__init__\n.", "names argparse.Namespace.__init__"),
        (b"cbuiltins\nstr\n(]tR.", "called in an unusual way"),
        (b"cbuiltins\ndict\n(I1\ntR.", "damaged|unusual"),
    ],
)
def test_other_ways_to_a_call(data: bytes, what: str) -> None:
    if b"cbuiltins\ndict" in data:
        assert read_pickle(data, "here") == {}  # nothing of the argument is looked at
        return
    refused(data, what)


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_file_cut_short(cut: int) -> None:
    data = pickle.dumps({"opt": argparse.Namespace(a=[1, 2]), "vocab": {"1": "a" * 50}}, 2)
    refused(data[:-cut], "damaged")


@given(st.binary(max_size=200))
def test_noise_is_refused_or_read(data: bytes) -> None:
    with suppress(CheckpointError):
        read_pickle(data, "here")


def test_a_list_inside_itself_is_read() -> None:
    inside: list[Any] = []
    inside.append(inside)
    read = read_pickle(pickle.dumps(inside, 2), "here")
    assert isinstance(read, list)
    assert read[0] is read


def nested(opcode: bytes, depth: int = 60) -> bytes:
    """A pair of the pair before, `depth` times: 2 ** depth elements to whoever walks it."""
    pairs = b"".join(b"h%c" % i + b"h%c" % i + opcode + b"q%c" % (i + 1) for i in range(depth))
    return b"\x80\x02)q\x00" + pairs


def test_a_key_that_takes_for_ever_to_hash() -> None:
    refused(nested(b"\x86") + b"}h%cK\x01s." % 60, "a key is tuple")


def test_an_error_message_does_not_walk_the_file() -> None:
    names = nested(b"\x86") + b"X\x01\x00\x00\x00a\x93."
    refused(names, "name of a global")


def test_a_huge_memo_number_takes_no_memory() -> None:
    assert read_pickle(b"\x80\x02Nr\xff\xff\xff\xff.", "here") is None


def test_declared_lengths_are_not_believed() -> None:
    for opcode in (b"X", b"T", b"B"):
        refused(b"\x80\x02" + opcode + b"\xff\xff\xff\x7f" + b"abc.", "damaged")
    refused(b"\x80\x04\x8e" + b"\xff" * 7 + b"\x0f" + b"abc.", "damaged")


def test_a_list_of_pairs_is_not_copied_again_and_again() -> None:
    pairs = pickle.dumps([[str(i), i] for i in range(20_000)], 2)[:-1] + b"q\xff"
    again = b"ccollections\nOrderedDict\nh\xff\x85R" * 20_000
    first, second, *_ = read_pickle(pairs + b"](" + again + b"e.", "here")
    assert (len(first), len(second)) == (20_000, 0)


@pytest.mark.parametrize("code", ["O8", "V8", "f8,f8", "S3", "M8[s]", "f99", ""])
def test_a_numpy_scalar_is_a_number(code: str) -> None:
    scalar = b"cnumpy.core.multiarray\nscalar\n"
    dtype = b"cnumpy\ndtype\n(S'" + code.encode() + b"'\ntR"
    refused(scalar + b"(" + dtype + b"S'" + b"x" * 16 + b"'\ntR.", "damaged")


def test_the_opcodes_are_the_standard_librarys() -> None:
    """pickletools documents every opcode that this Python writes; none is missing here unseen."""
    from capexport.checkpoint.image_captioning_pytorch import pickled_values as module

    known = module._CONSTANTS | set(module._ACTIONS) | {"PROTO", "FRAME", "STOP"}
    unused = {op.name for op in pickletools.opcodes} - known
    assert unused == {
        *("EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "INST", "OBJ", "NEWOBJ_EX"),
        *("POP", "POP_MARK", "DUP", "BYTEARRAY8", "NEXT_BUFFER", "READONLY_BUFFER"),
    }
