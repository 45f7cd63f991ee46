"""Big, mid and little cores by their clocks, and masks as they are."""

import pytest

from capexport.bench.devices.topology import core_mask
from capexport.errors import InputError

PHONE = dict.fromkeys("0123", 1_800_000) | dict.fromkeys("456", 2_400_000) | {"7": 2_840_000}


@pytest.mark.parametrize(
    ("wanted", "mask"),
    [("big", "80"), ("mid", "70"), ("little", "f"), ("0xF0", "f0"), ("c0", "c0"), ("1", "1")],
)
def test_masks_of_a_phone(wanted: str, mask: str) -> None:
    assert core_mask(wanted, PHONE) == mask


def test_a_board_of_two_kinds_has_no_mid_cores() -> None:
    board = {"0": 1_800_000, "1": 2_200_000}
    assert core_mask("little", board) == "1"
    assert core_mask("big", board) == "2"
    with pytest.raises(InputError, match="no mid cores among 2 kinds"):
        core_mask("mid", board)


@pytest.mark.parametrize(
    ("wanted", "clocks", "reason"),
    [
        ("big", {}, "does not tell the clocks"),
        ("big", {"0": 1, "1": 1}, "no big cores among 1 kinds"),
        ("0", PHONE, "'0' are no cores"),
        ("huge", PHONE, "'huge' are no cores"),
        ("f0 ; rm", PHONE, "are no cores"),
    ],
)
def test_cores_that_are_none(wanted: str, clocks: dict[str, int], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        core_mask(wanted, clocks)
