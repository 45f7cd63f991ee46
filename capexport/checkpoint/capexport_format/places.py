"""The table that tells a transformer the place of a word: it follows from its shape."""

import torch
from torch import Tensor

PLACES = ".pe"
"""End of the table's name in the transformers' state dictionaries; [1, rows, width]."""
ANGLE_ERROR = 2.0**-22
"""Most by which trainers' float32 tables differ from this one, times the row's number plus 1.

The angle is row * rate, the rate below 1 a power or an exponential. Its exponent, the rate and the
angle are each rounded to float32, so the angle is off by row * rate * (3 |ln rate| + 2) * 2^-24,
which is largest at |ln rate| = 1/3: row * 2^-22.9. The rest is for sine and cosine. In the first
1,000 rows, the longest caption's, this is no more than what float16 rounds numbers near 1 by.
"""


def sine_table(rows: int, width: int) -> Tensor:
    """Column 2i of row p is sin(p / 10000^(2i / width)), column 2i + 1 its cosine.

    In float64, then rounded: float32 functions of two machines differ in their last bits.

    Returns:
        [1, rows, width] float32 (Vaswani et al., "Attention Is All You Need", 2017, section 3.5).
    """
    columns = torch.arange(0, width, 2, dtype=torch.float64)
    angles = torch.arange(rows)[:, None] * 10_000.0 ** (-columns / width)
    return torch.stack([angles.sin(), angles.cos()], -1).reshape(1, rows, -1)[..., :width].float()


def is_sine_table(name: str, table: Tensor, *, exact: bool) -> bool:
    """Whether `sine_table` gives it: bit for bit, or with float32 errors in its angles."""
    if not name.endswith(PLACES) or table.ndim != 3 or len(table) != 1 or not table.numel():
        return False
    expected = sine_table(*table.shape[1:])
    if exact:
        return torch.equal(table, expected)
    most = ANGLE_ERROR * torch.arange(1, table.shape[1] + 1)[:, None]
    return bool(((table - expected).abs() <= most).all())
