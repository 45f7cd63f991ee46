"""A seed -> a scene: what is in it and where, without pixels."""

import random
from dataclasses import dataclass
from typing import NamedTuple

SHAPES = ("circle", "square", "triangle", "star", "cross")
COLOURS = {
    "red": (205, 40, 40),
    "green": (40, 155, 60),
    "blue": (50, 85, 210),
    "yellow": (235, 210, 50),
    "purple": (145, 60, 175),
    "orange": (240, 130, 30),
}
"""RGB around which the colour of a thing varies."""
BACKGROUNDS = {"white": 235, "grey": 145, "black": 30}
"""Brightness around which a background varies."""
RADII = {"small": 0.065, "large": 0.125}
"""Of the circle around a thing, as a share of the picture's side."""
MOST_OF_A_KIND = 3
NEAR_SIDE, FAR_SIDE = 0.44, 0.56
"""Where one kind's centres end and the other's begin, along the axis that parts them."""


class Kind(NamedTuple):
    """What a caption says of a thing."""

    size: str
    colour: str
    shape: str


@dataclass(frozen=True)
class Thing:
    """One drawn shape.

    Args:
        kind: its size, colour and shape.
        x, y: its centre, as shares of the picture's side, y downwards.
        turn: degrees clockwise.
    """

    kind: Kind
    x: float
    y: float
    turn: float = 0.0


@dataclass(frozen=True)
class Scene:
    """Things of one or two kinds on a background; those of one kind follow each other."""

    background: str
    things: tuple[Thing, ...]

    def groups(self) -> dict[Kind, list[Thing]]:
        """The things by kind, in the order in which the kinds first occur."""
        found: dict[Kind, list[Thing]] = {}
        for thing in self.things:
            found.setdefault(thing.kind, []).append(thing)
        return found


def random_scene(rng: random.Random) -> Scene:
    """One to three things of a kind, twice out of three with as many of another kind beside them.

    Two kinds differ in colour or shape, and lie on two sides of the picture. No things touch.
    """
    background = rng.choice(sorted(BACKGROUNDS))
    kinds = [_random_kind(rng)]
    if rng.random() < 2 / 3:
        kinds.append(_other_kind(rng, kinds[0]))
    while True:
        counts = [rng.randint(1, MOST_OF_A_KIND) for _ in kinds]
        things = _placed(rng, kinds, counts, upright=rng.random() < 0.5)
        if things is not None:
            return Scene(background, things)


def _random_kind(rng: random.Random) -> Kind:
    return Kind(rng.choice(sorted(RADII)), rng.choice(sorted(COLOURS)), rng.choice(SHAPES))


def _other_kind(rng: random.Random, first: Kind) -> Kind:
    while True:
        kind = _random_kind(rng)
        if kind[1:] != first[1:]:
            return kind


def _placed(
    rng: random.Random, kinds: list[Kind], counts: list[int], *, upright: bool
) -> tuple[Thing, ...] | None:
    """Things at random places; None when no room was found for one of them."""
    things: list[Thing] = []
    for number, (kind, count) in enumerate(zip(kinds, counts, strict=True)):
        radius = RADII[kind.size]
        along = (radius, 1 - radius)
        if len(kinds) == 2:
            along = (FAR_SIDE, 1 - radius) if number else (radius, NEAR_SIDE)
        for _ in range(count):
            thing = _free_place(rng, kind, along, things, upright=upright)
            if thing is None:
                return None
            things.append(thing)
    return tuple(things)


def _free_place(
    rng: random.Random,
    kind: Kind,
    along: tuple[float, float],
    others: list[Thing],
    *,
    upright: bool,
) -> Thing | None:
    radius = RADII[kind.size]
    for _ in range(30):
        x, y = rng.uniform(*along), rng.uniform(radius, 1 - radius)
        thing = Thing(kind, *((y, x) if upright else (x, y)), rng.uniform(-15, 15))
        if all(_are_apart(thing, other) for other in others):
            return thing
    return None


def _are_apart(a: Thing, b: Thing) -> bool:
    least = 1.1 * (RADII[a.kind.size] + RADII[b.kind.size])
    return (a.x - b.x) ** 2 + (a.y - b.y) ** 2 > least**2
