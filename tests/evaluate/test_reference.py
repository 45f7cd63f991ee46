"""Comparing with PyTorch leaves torch as it was."""

from collections.abc import Iterator

import pytest
import torch

from capexport.evaluate.reference import one_thread


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_one_thread_is_for_the_comparison_only() -> None:
    @one_thread()
    def fails() -> None:
        assert torch.get_num_threads() == 1
        raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert torch.get_num_threads() == 2
