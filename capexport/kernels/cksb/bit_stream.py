"""Numbers of a few bits each <-> bytes, from the lowest bit of each byte on."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from capexport.kernels.cksb.header import expect

MOST_ONES = 24
"""So many ones in front of a Rice code announce a number of PLAIN_BITS instead."""
PLAIN_BITS = 16
WORD = 8
"""Bytes that are loaded at a time; a code has at most 48 bits, wherever in a byte it starts."""


class Codes(NamedTuple):
    """Numbers and how many of their low bits are written, uint64, at most 48."""

    bits: NDArray[np.uint64]
    lengths: NDArray[np.uint64]


class BitWriter:
    """Collects codes one behind the other."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._free = 0  # bits of the last byte that are not written yet

    def append(self, codes: Codes) -> None:
        """Write all of them, in order."""
        used = -self._free % 8
        ends = np.cumsum(codes.lengths) + np.uint64(used)
        starts = ends - codes.lengths
        at, shifted = (starts // 8).astype(np.int64), codes.bits << starts % 8
        size = -(-int(ends[-1]) // 8)
        out = np.zeros(size + WORD, np.uint8)
        if used:
            out[0] = self._bytes.pop()
        for byte in range(WORD - 1):  # codes share bytes, but no bit: adding is as good as or
            np.add.at(out, at + byte, (shifted >> np.uint64(8 * byte)).astype(np.uint8))
        self._bytes += out[:size].tobytes()
        self._free = 8 * size - int(ends[-1])

    def bytes(self) -> bytes:
        """All of them; the last byte is filled up with zeros."""
        return bytes(self._bytes)


class BitReader:
    """Reads what was written, never past bit number `end`.

    Every method raises BundleError when what it finds is damaged.
    """

    def __init__(self, data: bytes, end: int) -> None:
        self._data, self._end, self._bit = data, end, 0

    def bits(self, count: int) -> int:
        """A number of `count` bits, at most 57."""
        at = self._bit >> 3
        word = int.from_bytes(self._data[at : at + WORD], "little") >> (self._bit & 7)
        self._bit += count
        expect(self._bit <= self._end, "the rows do not end where the stream ends")
        return word & ((1 << count) - 1)

    def rice(self, parameter: int) -> int:
        """A Rice code: ones, a zero, and the low bits of the number."""
        ones = self._ones()
        if ones < MOST_ONES:
            return ones << parameter | self.bits(parameter)
        number = self.bits(PLAIN_BITS)
        expect(number >> parameter >= MOST_ONES, "a number has a shorter code")
        return number

    def bounded(self, numbers: int) -> int:
        """One of 0..numbers - 1, all alike: as many bits as the largest has, or one less."""
        plain = numbers.bit_length() - 1
        low = self.bits(plain)
        if low < (2 << plain) - numbers:
            return low
        return low + (numbers - (1 << plain)) * self.bits(1)

    def _ones(self) -> int:
        """Their number; the zero behind them is read as well, unless MOST_ONES come first."""
        at = self._bit >> 3
        word = int.from_bytes(self._data[at : at + WORD], "little") >> (self._bit & 7)
        ones = (~word & (word + 1)).bit_length() - 1
        if ones >= MOST_ONES:
            self.bits(MOST_ONES)
            return MOST_ONES
        self.bits(ones + 1)
        return ones

    def expect_end(self) -> None:
        """Nothing but the zeros that fill up the last byte, and those behind the end."""
        expect(self._end - self._bit < 8, "the rows do not end where the stream ends")
        rest = int.from_bytes(self._data[self._bit >> 3 :], "little") >> (self._bit & 7)
        expect(rest == 0, "padding is not zero")
