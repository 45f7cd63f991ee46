"""Scenes follow from their seed, keep to their rules, and their captions are true."""

import random
from collections import Counter

import numpy as np
import pytest
from PIL import Image, ImageDraw
from PIL.ImageFilter import MaxFilter, MinFilter

from capexport.scenes.grammar import CLEARLY, RELATIONS, captions, holds
from capexport.scenes.picture import SIDE, draw, outline
from capexport.scenes.scene import (
    BACKGROUNDS,
    COLOURS,
    MOST_OF_A_KIND,
    RADII,
    SHAPES,
    Kind,
    Scene,
    Thing,
    random_scene,
)
from capexport.scenes.truth import judge

SCENES = [random_scene(random.Random(seed)) for seed in range(300)]


def test_scenes_follow_from_the_seed() -> None:
    assert random_scene(random.Random(7)) == SCENES[7]
    assert len(set(SCENES)) == len(SCENES)


@pytest.mark.parametrize("seed", range(0, 300, 7))
def test_things_lie_inside_and_apart(seed: int) -> None:
    things = SCENES[seed].things
    for number, thing in enumerate(things):
        radius = RADII[thing.kind.size]
        assert all(radius <= place <= 1 - radius for place in (thing.x, thing.y))
        for other in things[:number]:
            distance = np.hypot(thing.x - other.x, thing.y - other.y)
            assert distance > radius + RADII[other.kind.size]


def test_every_kind_number_and_ground_occurs() -> None:
    kinds = [kind for scene in SCENES for kind in scene.groups()]
    assert {kind.colour for kind in kinds} == set(COLOURS)
    assert {kind.shape for kind in kinds} == set(SHAPES)
    assert {kind.size for kind in kinds} == set(RADII)
    assert {scene.background for scene in SCENES} == set(BACKGROUNDS)
    counts = {len(things) for scene in SCENES for things in scene.groups().values()}
    assert counts == set(range(1, MOST_OF_A_KIND + 1))
    assert {len(scene.groups()) for scene in SCENES} == {1, 2}


def test_captions_are_true_and_complete() -> None:
    for seed, scene in enumerate(SCENES):
        for caption in captions(scene, 5, random.Random(seed)):
            assert judge(caption, scene) == (True, True), caption


def test_one_sentence_of_a_scene_is_the_usual_one() -> None:
    said = captions(TWO_AND_ONE, 400, random.Random(0))
    (usual, most), (_, next_most) = Counter(said).most_common(2)
    assert usual == "two small red stars left of a large blue cross"
    assert most > 1.5 * next_most
    assert {text.split()[0] for text in said} == {"two", "a", "there"}
    assert any(text.endswith("on a grey background") for text in said)
    assert any("right of" in text for text in said)


def test_a_caption_of_another_scene_is_true_only_by_chance() -> None:
    said = [captions(scene, 1, random.Random(0))[0] for scene in SCENES]
    lucky = sum(judge(text, scene).is_true for text, scene in zip(said, SCENES[1:], strict=False))
    assert lucky <= 3


RED, BLUE = Kind("small", "red", "star"), Kind("large", "blue", "cross")
TWO_AND_ONE = Scene("grey", (Thing(RED, 0.2, 0.2), Thing(RED, 0.3, 0.4), Thing(BLUE, 0.7, 0.3)))


@pytest.mark.parametrize(
    ("caption", "is_true", "is_complete"),
    [
        ("two small red stars left of a large blue cross", True, True),
        ("there are two small red stars left of a large blue cross", True, True),
        ("a large blue cross right of two small red stars on a grey background", True, True),
        ("there is a large blue cross", True, False),
        ("two small red stars", True, False),
        ("a small red star", False, False),
        ("three small red stars left of a large blue cross", False, False),
        ("two large red stars left of a large blue cross", False, False),
        ("two small green stars left of a large blue cross", False, False),
        ("two small red crosses left of a large blue cross", False, False),
        ("two small red stars right of a large blue cross", False, False),
        ("two small red stars above a large blue cross", False, False),
        ("two small red stars on a white background", False, False),
        ("two small red star left of a large blue cross", False, False),
        ("there is two small red stars", False, False),
        ("a large blue crosses", False, False),
        ("two small red stars left of", False, False),
        ("stars", False, False),
        ("", False, False),
    ],
)
def test_a_caption_is_held_against_the_scene(
    caption: str, is_true: bool, is_complete: bool
) -> None:
    assert judge(caption, TWO_AND_ONE) == (is_true, is_complete)


def test_each_relation_is_the_others_turned_round() -> None:
    for scene in SCENES:
        if len(scene.groups()) == 2:
            first, second = scene.groups().values()
            sides = {relation for relation in RELATIONS if holds(relation, first, second, CLEARLY)}
            turned = {relation for relation in RELATIONS if holds(relation, second, first, CLEARLY)}
            assert sides
            opposite = dict(zip(RELATIONS, ("right of", "left of", "below", "above"), strict=True))
            assert turned == {opposite[relation] for relation in sides}


def test_a_picture_follows_from_scene_and_seed() -> None:
    first, again, other = (np.asarray(draw(SCENES[0], seed)) for seed in (1, 1, 2))
    assert first.shape == (SIDE, SIDE, 3)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_drawn_has_its_colour_within_its_outline(shape: str) -> None:
    """Colours by their nearest name; the pixels along the edge are mixed and left out."""
    for colour in COLOURS:
        thing = Thing(Kind("large", colour, shape), 0.4, 0.6, 10)
        pixels = np.asarray(draw(Scene("grey", (thing,)), 3), np.float64)
        inside = Image.new("L", (SIDE, SIDE))
        ImageDraw.Draw(inside).polygon([(SIDE * x, SIDE * y) for x, y in outline(thing)], fill=1)
        core, around = (np.asarray(inside.filter(f(3))) == 1 for f in (MinFilter, MaxFilter))
        grey = (BACKGROUNDS["grey"],) * 3
        names = np.array([*COLOURS.values(), grey], np.float64)
        nearest = ((pixels[..., None, :] - names) ** 2).sum(-1).argmin(-1)
        number = list(COLOURS).index(colour)
        assert (nearest[core] == number).all()
        assert (nearest[~around] == len(COLOURS)).all()


def test_shapes_fill_their_circle() -> None:
    for shape in SHAPES:
        thing = Thing(Kind("large", "red", shape), 0.5, 0.5)
        lengths = [np.hypot(x - 0.5, y - 0.5) for x, y in outline(thing)]
        assert max(lengths) == pytest.approx(RADII["large"])
