"""Inputs and wanted outputs of a linear map -> the sparse map that comes closest to them.

Which weights stay: Sun et al., "A Simple and Effective Pruning Approach for Large Language Models"
(Wanda), 2023. What they become: least squares on what stays, as in He et al., "Channel Pruning for
Accelerating Very Deep Neural Networks", ICCV 2017.
"""

import torch
from torch import Tensor

RIDGE = 1e-3
"""Pull towards the old weights, relative to the inputs' squares: a few pictures do not say all."""
MOST_ITERATIONS = 200
TOLERANCE = 1e-6
"""Of the residual, relative to the first one."""


def importance(weight: Tensor, squares: Tensor) -> Tensor:
    """What each weight adds to its row's output: |w| times the root mean square of its input.

    Relative to the row, because a folded row's size says how batch norm scaled it, and not how much
    it matters.

    Args:
        weight: [rows, columns].
        squares: mean square of each input [columns].
    """
    share = weight.abs() * squares.sqrt()
    return share / share.square().sum(1, keepdim=True).sqrt().clamp_min(1e-12)


def reconstructed(
    weight: Tensor, bias: Tensor, mask: Tensor, inputs: Tensor, wanted: Tensor
) -> tuple[Tensor, Tensor]:
    """Weight and bias with the least squared error of `inputs @ weight.T + bias` - `wanted`.

    Args:
        weight: [rows, columns], the old one.
        bias: [rows].
        mask: bool [rows, columns], which weights may be other than zero.
        inputs: [samples, columns].
        wanted: [samples, rows].

    Returns:
        float32, of the same shapes.
    """
    extended = torch.cat([inputs, inputs.new_ones(len(inputs), 1)], 1).double()
    start = torch.cat([weight, bias[:, None]], 1).double()
    free = torch.cat([mask, mask.new_ones(len(mask), 1)], 1)
    gram = extended.T @ extended / len(inputs)
    ridge = RIDGE * gram.diagonal() + torch.finfo(torch.float32).tiny
    target = wanted.double().T @ extended / len(inputs) + start * ridge
    solved = masked_least_squares(gram + ridge.diag(), target, free, start).float()
    return solved[:, :-1], solved[:, -1]


def masked_least_squares(gram: Tensor, target: Tensor, mask: Tensor, start: Tensor) -> Tensor:
    """Rows w that minimise w gram w / 2 - target w, zero outside the mask.

    Conjugate gradients on all rows at once (Hestenes and Stiefel, 1952), scaled by the diagonal:
    each row has a system of its own, and none is ever written down.

    Args:
        gram: symmetric positive definite [columns, columns].
        target, start: [rows, columns].
        mask: bool [rows, columns].
    """
    rows = start * mask
    residual = (target - rows @ gram) * mask
    scale = 1 / gram.diagonal()
    direction = residual * scale
    energy = (residual * direction).sum(1, keepdim=True)
    enough = energy * TOLERANCE**2
    for _ in range(MOST_ITERATIONS):
        if (energy <= enough).all():
            break
        image = (direction @ gram) * mask
        step = _quotient(energy, (direction * image).sum(1, keepdim=True))
        rows = rows + step * direction
        residual = residual - step * image
        scaled = residual * scale
        last, energy = energy, (residual * scaled).sum(1, keepdim=True)
        direction = scaled + _quotient(energy, last) * direction
    return rows


def _quotient(a: Tensor, b: Tensor) -> Tensor:
    """a / b, and 0 for a row that is solved: its b is 0."""
    return torch.where(b > 0, a / torch.where(b > 0, b, 1), 0)
