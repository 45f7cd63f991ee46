"""Views: each step sees an image by one of several encoders' features."""

import torch
from tiny_training import tiny_examples

from capexport.prune.examples import Examples

CPU = torch.device("cpu")


def shifted_examples() -> Examples:
    """The tiny ones; view n has n added to all features."""
    plain = tiny_examples()
    views = [{name: values + n for name, values in plain.inputs.items()} for n in (1, 2)]
    return Examples(plain.inputs, plain.tokens, views)


def test_each_image_is_seen_by_each_view_in_turn() -> None:
    examples = shifted_examples()
    indices = torch.tensor([5, 0, 7])
    torch.manual_seed(0)
    seen: list[list[int]] = [[], [], []]
    for _ in range(90):
        inputs, _ = examples.take(indices, 0, CPU)
        for place, index in enumerate(indices):
            added = inputs["att"][place] - examples.inputs["att"][index]
            view = round(float(added.mean()))
            assert torch.allclose(added, torch.full_like(added, view), atol=1e-6)
            fc = examples.inputs["fc"][index] + view
            assert torch.allclose(inputs["fc"][place], fc)  # all inputs are of one view
            seen[place].append(view)
    for views in seen:
        assert {views.count(view) > 15 for view in range(3)} == {True}


def test_without_views_no_number_is_drawn() -> None:
    torch.manual_seed(3)
    tiny_examples().take(torch.arange(4), 0, CPU)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(1))
