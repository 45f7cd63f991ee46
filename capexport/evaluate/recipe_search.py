"""Float graphs, the same in int8, and captioned images -> the fewest layers that must stay float.

Layers go back to float from the most sensitive one on, until CIDEr-D on the images drops by no more
than the budget. How sensitive a layer is, is measured on its output; how many go, on captions. An
image encoder that went back takes the convolutions over its small images to int8 again, if the
budget allows it: the noise comes from the large ones (docs/decisions/static-int8.md).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capexport.bundle import Bundle
from capexport.captioner import Captioner
from capexport.compress import (
    AUTO,
    graph_sensitivity,
    image_sides,
    sensitivities,
    with_float_layers,
)
from capexport.errors import InputError
from capexport.evaluate.datasets import CaptionedImage
from capexport.evaluate.layers import greedy_steps
from capexport.evaluate.metrics import check_tools, cider, paired_difference
from capexport.evaluate.quality import Reading, reading
from capexport.evaluate.reference import open_sessions
from capexport.ir.graph import Array, Graph
from capexport.runtime import caption, encoder_inputs, read_picture
from capexport.spec.image import ImageSpec

CALIBRATION_PICTURES = 32
SENSITIVITY_IMAGES = 4
"""Images over which errors of layers are taken: numpy computes them slowly, they vary little."""

Judge = Callable[[Sequence[Graph]], NDArray[np.float64]]
"""CIDEr-D of each image when these graphs caption."""
Write = Callable[[Path, Sequence[Graph]], Bundle]
Partly = Callable[[int], Graph]
"""The encoder in int8, but for convolutions over more rows or columns than this."""


@dataclass(frozen=True)
class Budget:
    """By how much mean CIDEr-D may drop: a share of the float model's, or a number."""

    amount: float
    relative: bool

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """`0.5%` or `0.01`; InputError for anything else."""
        number = text.removesuffix("%").strip()
        try:
            amount = float(number)
        except ValueError:
            amount = -1.0
        if not 0 <= amount < float("inf"):
            raise InputError(
                f"{text!r} is no drop of CIDEr-D",
                where="--max-cider-drop",
                hint="give a share of the float model's, such as 0.5%, or a number such as 0.01",
            )
        relative = text.endswith("%")
        return cls(amount / 100 if relative else amount, relative)

    def most(self, cider: float) -> float:
        """The drop that is allowed from a float model of that mean CIDEr-D."""
        return self.amount * cider if self.relative else self.amount


@dataclass(frozen=True)
class Validation:
    """Captioned images that a recipe is chosen by.

    Args:
        features: file with the features of every image, for a captioner of features.
        budget: by how much CIDEr-D may drop on them.
    """

    images: Sequence[CaptionedImage]
    budget: Budget
    features: Path | None = None

    def pictures(self, image: ImageSpec | None) -> Iterator[Array]:
        """Pixels of CALIBRATION_PICTURES of the images, evenly spread; none without a rule."""
        if image is not None:
            for one in self.images[:: -(-len(self.images) // CALIBRATION_PICTURES)]:
                yield read_picture(one.file, image).pixels


def check_validation(recipe: str, validation: Validation | None) -> None:
    """Raise InputError unless there are captioned images exactly when the recipe is AUTO."""
    if recipe == AUTO and validation is None:
        raise InputError(
            "the recipe auto is chosen by captions, and there are none",
            where="--recipe auto",
            hint="give captioned images: --data DIR",
        )
    if recipe != AUTO and validation is not None:
        raise InputError(
            "only the recipe auto is chosen by captions",
            where=f"--recipe {recipe}",
            hint="leave out --data, or use --recipe auto",
        )


def search_recipe(
    captioner: Captioner,
    floats: Sequence[Graph],
    smalls: Sequence[Graph],
    validation: Validation,
    write: Write,
    partly: Partly,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Graph], dict[str, Any]]:
    """`choose_float_layers` of an encoder and a decoder step, by what bundles of them say.

    Args:
        write: makes a bundle of the graphs in a folder.
        partly: the encoder between its float and its int8 form, if it has convolutions.
    """
    check_tools("words")
    read = reading(captioner.image, validation.features)
    progress("measuring each layer")
    inputs = [
        encoder_inputs(captioner.signature, read(one))
        for one in validation.images[:SENSITIVITY_IMAGES]
    ]
    units = float_units(captioner, floats, smalls, inputs)
    judge = caption_judge(write, read, validation.images, captioner.decoding.beam)
    return choose_float_layers(floats, smalls, units, judge, validation.budget, partly, progress)


@dataclass(frozen=True)
class Unit:
    """What goes back to float together.

    Args:
        graph: name of its graph.
        layers: weights of linears and embeddings; none: the whole graph, convolutions and all.
        sensitivity: squared error of its output in int8, relative to the output's squares.
    """

    graph: str
    layers: tuple[str, ...]
    sensitivity: float


def float_units(
    captioner: Captioner,
    floats: Sequence[Graph],
    smalls: Sequence[Graph],
    inputs: Sequence[Mapping[str, Array]],
) -> list[Unit]:
    """Every layer of a captioner's two graphs; a graph with convolutions also as a whole.

    Args:
        floats, smalls: encoder and decoder step before and after a recipe.
        inputs: the encoder's by name, one mapping an image.
    """
    steps = [s for given in inputs for s in greedy_steps(captioner, floats[0], floats[1], given)]
    units = []
    for before, after, samples in zip(floats, smalls, (inputs, steps), strict=True):
        found = sensitivities(before, after, samples)
        units += [Unit(before.name, (layer,), value) for layer, value in found.items()]
        if any(node.op == "conv2d" for node in before.nodes):
            units.append(Unit(before.name, (), graph_sensitivity(before, after, samples)))
    return units


def choose_float_layers(
    floats: Sequence[Graph],
    smalls: Sequence[Graph],
    units: Sequence[Unit],
    judge: Judge,
    budget: Budget,
    partly: Partly,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[Graph], dict[str, Any]]:
    """The graphs to write, and what was found.

    Args:
        floats, smalls: encoder and decoder step before and after the recipe.
        units: what may go back to float.
        partly: as for `search_recipe`.

    Returns:
        graphs, and `{"cider": {"float", "int8", "chosen"}, "max_drop", "difference",
        "standard_error", "images", "float": [{"graph", "layers", "sensitivity"}], "int8": [...],
        "largest": side}`; the difference is chosen - float on the same images. The side is that of
        the largest images over which the encoder is int8 although it is in "float" as a whole, None
        if there are none.
    """
    ranked = sorted(units, key=lambda unit: (-unit.sensitivity, unit.graph, unit.layers))
    progress("measuring the float model")
    reference = judge(floats)
    most = budget.most(float(reference.mean()))
    measured: dict[int, NDArray[np.float64]] = {}

    def drops(count: int) -> float:
        if count not in measured:
            progress(f"measuring int8 with {count} of {len(ranked)} parts float")
            measured[count] = judge(mixed(floats, smalls, ranked[:count]))
        return float(reference.mean() - measured[count].mean())

    count = fewest(len(ranked), lambda n: drops(n) <= most)
    drops(count)
    graphs, scores, largest = mixed(floats, smalls, ranked[:count]), measured[count], None
    for side, trial in _with_small_images(floats, smalls, ranked[:count], partly):
        progress(f"measuring int8 with images of more than {side} in float")
        found = judge(trial)
        if reference.mean() - found.mean() <= most:
            graphs, scores, largest = trial, found, side
            break
    difference, error = paired_difference(scores, reference)
    return graphs, {
        "cider": {
            "float": float(reference.mean()),
            "int8": float(measured[0].mean()),
            "chosen": float(scores.mean()),
        },
        "max_drop": most,
        "difference": difference,
        "standard_error": error if len(reference) > 1 else None,
        "images": len(reference),
        "float": [asdict(unit) for unit in ranked[:count]],
        "int8": [asdict(unit) for unit in ranked[count:]],
        "largest": largest,
    }


def _with_small_images(
    floats: Sequence[Graph], smalls: Sequence[Graph], chosen: Sequence[Unit], partly: Partly
) -> Iterator[tuple[int, list[Graph]]]:
    """If the whole encoder is to be float: sides of images up to which it could be int8 instead,
    the largest first, and the graphs with that."""
    whole = [unit for unit in chosen if unit.graph == floats[0].name and not unit.layers]
    others = [unit for unit in chosen if unit not in whole]
    for side in image_sides(floats[0])[1:] if whole else ():
        yield side, mixed(floats, [partly(side), *smalls[1:]], others)


def mixed(floats: Sequence[Graph], smalls: Sequence[Graph], units: Sequence[Unit]) -> list[Graph]:
    """The int8 graphs, but for `units`."""
    graphs = []
    for before, after in zip(floats, smalls, strict=True):
        mine = [unit for unit in units if unit.graph == before.name]
        layers = {layer for unit in mine for layer in unit.layers}
        int8 = {name for name, constant in after.constants.items() if constant.quantization}
        if any(not unit.layers for unit in mine) or int8 <= layers:
            graphs.append(before)
        else:
            graphs.append(with_float_layers(before, after, layers))
    return graphs


def fewest(total: int, passes: Callable[[int], bool]) -> int:
    """A count that passes and whose predecessor does not, by doubling and bisection.

    All of `total` are taken to pass: then nothing is int8. Where more may be worse than fewer, it
    is one such count, not always the least.
    """
    if passes(0):
        return 0
    failing, count = 0, 1
    while count < total and not passes(count):
        failing, count = count, 2 * count
    count = min(count, total)
    while count - failing > 1:
        middle = (failing + count) // 2
        if passes(middle):
            count = middle
        else:
            failing = middle
    return count


def caption_judge(
    write: Write, read: Reading, images: Sequence[CaptionedImage], beam: int
) -> Judge:
    """Captions by a bundle that `write` makes of the graphs, in its first runtime installed."""
    references = {one.name: one.captions for one in images}

    def judge(graphs: Sequence[Graph]) -> NDArray[np.float64]:
        with TemporaryDirectory() as folder:
            sessions, _ = open_sessions(write(Path(folder) / "bundle", graphs))
            session = next(iter(sessions.values()))
            said = {one.name: caption(session, read(one), beam).text for one in images}
        return cider(said, references)

    return judge
