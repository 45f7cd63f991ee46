"""Highest clocks of a device's cores -> the masks of its big, mid and little ones."""

import re
from collections.abc import Mapping

from capexport.errors import InputError

BIG, MID, LITTLE = "big", "mid", "little"
MASK = re.compile(r"(?:0x)?([0-9a-fA-F]{1,16})")


def core_mask(wanted: str, max_clock_khz: Mapping[str, int]) -> str:
    """Hexadecimal digits of a mask, as taskset takes it: bit n is core n.

    Args:
        wanted: BIG (the cores with the highest clock), LITTLE (the lowest), MID (all between), or a
            mask itself, which starts with 0x where it could be a word.
        max_clock_khz: by core's number, as the device tells.

    Raises:
        InputError: it is neither, or the device has no such cores or does not tell their clocks.
    """
    if wanted not in (BIG, MID, LITTLE):
        if not (mask := MASK.fullmatch(wanted)) or int(mask[1], 16) == 0:
            raise _no_cores(f"{wanted!r} are no cores")
        return f"{int(mask[1], 16):x}"
    clocks = sorted(set(max_clock_khz.values()))
    if not clocks:
        raise _no_cores("the device does not tell the clocks of its cores")
    chosen = {BIG: clocks[-1:], LITTLE: clocks[:1], MID: clocks[1:-1]}[wanted]
    if not chosen or len(clocks) == 1:
        raise _no_cores(f"there are no {wanted} cores among {len(clocks)} kinds")
    cores = [int(core) for core, clock in max_clock_khz.items() if clock in chosen]
    return f"{sum(1 << core for core in cores):x}"


def _no_cores(what: str) -> InputError:
    return InputError(what, where="--cores", hint=f"use {BIG}, {MID}, {LITTLE}, or a mask as 0xf0")
