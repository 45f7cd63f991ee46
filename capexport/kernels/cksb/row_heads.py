"""What stands before the weights of a row: their number, and in version 3 its bias and scale."""

import numpy as np
from numpy.typing import NDArray

from capexport.kernels.cksb.bit_stream import BitReader, Codes
from capexport.kernels.cksb.header import HAS_BIAS, HAS_SCALE, Header, Rows, Weights, expect
from capexport.kernels.cksb.rice import rice, rice_parameter
from capexport.kernels.cksb.row_floats import (
    BIAS_PEAK,
    HIGHEST_CODE,
    LOWEST_CODE,
    bias_steps,
    codes_of,
)

Numbers = NDArray[np.int64]
BIAS_BITS = 12


class RowHeads:
    """Of all rows of a matrix, to be written: the codes, and what the header says of them."""

    def __init__(self, rows: Rows, version: int) -> None:
        self.counts: Numbers = np.count_nonzero(rows.weights, axis=1).astype(np.int64)
        self._live = self.counts > 0
        self.numbers: dict[str, int] = {}
        columns = [self._counts(rows.weights, version)]
        if rows.bias is not None:
            columns.append(self._biases(rows.bias))
        if rows.scale is not None:
            columns.append(self._scales(rows.scale))
        self._bits = np.stack([codes.bits for codes in columns], axis=1)
        self._lengths = np.stack([codes.lengths for codes in columns], axis=1)

    @property
    def fields(self) -> int:
        """Codes of each row."""
        return len(self._bits[0])

    def of_rows(self, first: int, end: int) -> Codes:
        """Their codes, row by row."""
        return Codes(self._bits[first:end].ravel(), self._lengths[first:end].ravel())

    def _counts(self, weights: Weights, version: int) -> Codes:
        nnz, rows = int(self.counts.sum()), len(self.counts)
        if version == 2:
            return rice(self.counts, np.int64(rice_parameter(nnz, rows)))
        folded = fold(self.counts, nnz // rows, weights.shape[1])
        self.numbers["folded_counts"] = int(folded.sum())
        return rice(folded, np.int64(rice_parameter(self.numbers["folded_counts"], rows)))

    def _biases(self, bias: NDArray[np.float32]) -> Codes:
        found = bias_steps(bias)
        if found is None:
            raise ValueError("the biases are not on their grid")
        steps, self.numbers["bias_exponent"] = found
        bits = (steps & ((1 << BIAS_BITS) - 1)).astype(np.uint64)
        return Codes(bits, np.full(len(bias), BIAS_BITS, np.uint64))

    def _scales(self, scale: NDArray[np.float32]) -> Codes:
        """Of rows with weights; others have codes of no length."""
        codes = codes_of(scale[self._live])
        if codes is None or not len(codes):
            raise ValueError("the scales are not on their grid")
        mean = int(codes.sum() // len(codes))
        folded = zigzag(codes - mean)
        total = int(folded.sum())
        self.numbers |= {"mean_code": mean, "folded_codes": total}
        written = rice(folded, np.int64(rice_parameter(total, len(codes))))
        all_bits, all_lengths = (np.zeros(len(scale), np.uint64) for _ in range(2))
        all_bits[self._live], all_lengths[self._live] = written
        return Codes(all_bits, all_lengths)


class RowHeadReader:
    """Reads them one by one; `expect_sums` at the end compares them with the header."""

    def __init__(self, header: Header, reader: BitReader) -> None:
        self._header, self._reader = header, reader
        folded = header.folded_counts if header.version == 3 else header.nnz
        self._count_parameter = rice_parameter(folded, header.rows)
        self._code_parameter = rice_parameter(header.folded_codes, max(1, header.live_rows))
        self._nnz = self._live = self._folded_counts = self._folded_codes = self._codes = 0
        self._peak = 0

    def read(self) -> tuple[int, int, int]:
        """Number of weights, code of the scale (0 for none), steps of the bias."""
        count = self._count()
        steps = self._bias() if self._header.has_bias else 0
        code = self._code() if self._header.has_scale and count else 0
        return count, code, steps

    def _count(self) -> int:
        header, count = self._header, self._reader.rice(self._count_parameter)
        if header.version == 3:
            self._folded_counts += count
            count = unfold(count, header.nnz // header.rows, header.columns)
        expect(0 <= count <= header.columns, "a column is out of range")
        self._nnz, self._live = self._nnz + count, self._live + (count > 0)
        return count

    def _bias(self) -> int:
        bits = self._reader.bits(BIAS_BITS)
        steps = bits - (bits >> BIAS_BITS - 1 << BIAS_BITS)
        expect(abs(steps) <= BIAS_PEAK, "the biases are out of range")
        self._peak = max(self._peak, abs(steps))
        return steps

    def _code(self) -> int:
        folded = self._reader.rice(self._code_parameter)
        code = self._header.mean_code + (folded >> 1 ^ -(folded & 1))
        expect(LOWEST_CODE <= code <= HIGHEST_CODE, "the scales are out of range")
        self._folded_codes, self._codes = self._folded_codes + folded, self._codes + code
        return code

    def expect_sums(self) -> None:
        """Raise BundleError unless they are what the header says."""
        header = self._header
        expect(self._nnz == header.nnz, "the number of non-zeros is wrong")
        expect(self._live == header.live_rows, "the number of rows with weights is wrong")
        expect(self._folded_counts == header.folded_counts, "the rows do not add up")
        expect(self._folded_codes == header.folded_codes, "the scales do not add up")
        mean = self._codes // max(1, self._live)
        expect(not header.has_scale or mean == header.mean_code, "the scales do not add up")
        expect(not header.has_bias or self._peak > BIAS_PEAK // 2, "the biases are out of range")


def flags_of(rows: Rows) -> int:
    """What the header says is there."""
    return (rows.scale is not None) * HAS_SCALE | (rows.bias is not None) * HAS_BIAS


def fold(numbers: Numbers, mean: int, peak: int) -> Numbers:
    """Numbers 0..peak by their distance from the mean: mean, mean - 1, mean + 1, ... -> 0, 1, 2, ..

    Where one side has come to its end the other goes on.
    """
    both, distance = min(mean, peak - mean), np.abs(numbers - mean)
    return np.where(distance <= both, zigzag(numbers - mean), both + distance)


def unfold(number: int, mean: int, peak: int) -> int:
    """The reverse; out of range where `number` is."""
    if number <= 2 * min(mean, peak - mean):
        return mean + (number >> 1 ^ -(number & 1))
    return number if mean <= peak - mean else peak - number


def zigzag(numbers: Numbers) -> Numbers:
    """0, -1, 1, -2, 2, ... -> 0, 1, 2, 3, 4, ..."""
    folded: Numbers = np.where(numbers < 0, -2 * numbers - 1, 2 * numbers)
    return folded
