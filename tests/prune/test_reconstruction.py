"""Least squares on a mask against one direct solution a row, and how density is shared out."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from capexport.prune.densities import densities
from capexport.prune.reconstruction import importance, masked_least_squares, reconstructed


def system(seed: int, rows: int, columns: int, density: float) -> tuple[Tensor, Tensor, Tensor]:
    """Gram matrix, target and mask."""
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(3 * columns, columns, generator=generator).double()
    inputs *= torch.logspace(-2, 2, columns).double()  # inputs differ in size, as features do
    target = torch.randn(rows, columns, generator=generator).double()
    mask = torch.rand(rows, columns, generator=generator) < density
    return inputs.T @ inputs, target * inputs.abs().sum(0), mask


def direct(gram: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The same by one dense solution for every row."""
    solved = torch.zeros_like(target)
    for row, kept in enumerate(mask):
        places = kept.nonzero()[:, 0]
        solved[row, places] = torch.linalg.solve(gram[places][:, places], target[row, places])
    return solved


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    rows=st.integers(1, 7),
    columns=st.integers(1, 23),
    density=st.sampled_from((0.0, 0.3, 0.7, 1.0)),
)
def test_conjugate_gradients_solve_every_row(
    seed: int, rows: int, columns: int, density: float
) -> None:
    gram, target, mask = system(seed, rows, columns, density)
    wanted = direct(gram, target, mask)
    got = masked_least_squares(gram, target, mask, torch.zeros_like(target))
    assert not got[~mask].any()
    scale = gram.diagonal().sqrt()  # error of the outputs, not of weights whose inputs are tiny
    assert torch.linalg.norm((got - wanted) * scale) <= 1e-4 * torch.linalg.norm(wanted * scale)


def test_a_dense_map_comes_back_where_it_explains_the_outputs() -> None:
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(5, 9, generator=generator), torch.randn(5, generator=generator)
    inputs = torch.randn(200, 9, generator=generator) + 1
    mask = torch.ones(5, 9, dtype=torch.bool)
    got = reconstructed(weight, bias, mask, inputs, inputs @ weight.T + bias)
    torch.testing.assert_close(got, (weight, bias), rtol=1e-4, atol=1e-4)


def test_what_stays_makes_up_for_what_went() -> None:
    """Two inputs that are alike: one weight can do the work of both; the bias takes the mean."""
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(500, 1, generator=generator)
    inputs = torch.cat([first, first + 3], 1)
    weight, bias = torch.tensor([[2.0, 1.0]]), torch.tensor([0.5])
    mask = torch.tensor([[True, False]])
    fitted, moved = reconstructed(weight, bias, mask, inputs, inputs @ weight.T + bias)
    torch.testing.assert_close(fitted, torch.tensor([[3.0, 0.0]]), rtol=2e-3, atol=0)
    torch.testing.assert_close(moved, torch.tensor([3.5]), rtol=2e-3, atol=0)


def test_importance_is_a_share_of_the_row() -> None:
    weight = torch.tensor([[1.0, 1.0], [100.0, 100.0], [0.0, 0.0]])
    share = importance(weight, torch.tensor([1.0, 9.0]))
    torch.testing.assert_close(share[0], share[1])
    torch.testing.assert_close(share[0, 1], 3 * share[0, 0])
    assert not share[2].any()


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=3),
        st.tuples(st.integers(1, 300), st.integers(1, 300)),
        min_size=1,
        max_size=8,
    ),
    st.floats(0, 1),
)
def test_layers_keep_the_density_together(
    shapes: dict[str, tuple[int, int]], density: float
) -> None:
    shares = densities(shapes, density)
    sizes = {name: rows * columns for name, (rows, columns) in shapes.items()}
    assert all(0 <= share <= 1 + 1e-9 for share in shares.values())
    kept = sum(shares[name] * size for name, size in sizes.items())
    assert kept == pytest.approx(density * sum(sizes.values()), rel=1e-6, abs=1e-6)


def test_narrow_layers_stay_denser() -> None:
    shares = densities({"narrow": (8, 8), "wide": (64, 64), "wider": (100, 300)}, 0.2)
    assert shares["narrow"] > shares["wide"] > shares["wider"] > 0
