"""Numbers -> Rice codes: ones, a zero and low bits, how many from the mean of the numbers."""

import numpy as np
from numpy.typing import NDArray

from capexport.kernels.cksb.bit_stream import MOST_ONES, PLAIN_BITS, Codes

Numbers = NDArray[np.int64]


def rice_parameter(total: int, numbers: int) -> int:
    """The k for codes of `numbers` numbers that add up to `total`: 2^k is their mean, rounded."""
    return max(0, (total // numbers).bit_length() - 1)


def rice_parameters(totals: Numbers, numbers: Numbers) -> Numbers:
    """The same, for many."""
    bit_length = np.frexp(totals // numbers)[1].astype(np.int64)
    parameters: Numbers = np.maximum(0, bit_length - 1)
    return parameters


def rice(numbers: Numbers, parameters: Numbers | np.int64) -> Codes:
    """Ones, a zero and the low bits; numbers of too many ones are announced and written plain."""
    high, one = numbers >> parameters, np.uint64(1)
    ones = np.minimum(high, MOST_ONES).astype(np.uint64)
    low = (numbers - (high << parameters)).astype(np.uint64)
    plain = high >= MOST_ONES
    tail = np.where(plain, numbers.astype(np.uint64), low << one)
    lengths = np.where(plain, MOST_ONES + PLAIN_BITS, high + 1 + parameters).astype(np.uint64)
    return Codes(((one << ones) - one) | tail << ones, lengths)


def bounded(numbers: Numbers, ends: Numbers) -> Codes:
    """Numbers of 0..end - 1 that are all alike: as many bits as the largest has, or one less."""
    plain = np.frexp(ends)[1].astype(np.int64) - 1
    short = (2 << plain) - ends
    beyond = ends - (1 << plain)
    high = numbers >= 1 << plain
    bits = np.where(high, numbers - beyond | 1 << plain, numbers)
    lengths = np.where(numbers < short, plain, plain + 1)
    return Codes(bits.astype(np.uint64), lengths.astype(np.uint64))
