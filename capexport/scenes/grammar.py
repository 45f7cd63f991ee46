"""The sentences that are said of scenes: their words, and how a scene is put into them."""

import random

from capexport.scenes.scene import Kind, Scene, Thing

NUMBERS = ("a", "two", "three")
PLURALS = {
    "circle": "circles",
    "square": "squares",
    "triangle": "triangles",
    "star": "stars",
    "cross": "crosses",
}
LEFT, RIGHT, ABOVE, BELOW = "left of", "right of", "above", "below"
RELATIONS = (LEFT, RIGHT, ABOVE, BELOW)
CLEARLY = 0.1
"""How far apart things are before a caption says on which side they lie; shares of the side."""


def captions(scene: Scene, number: int, rng: random.Random) -> tuple[str, ...]:
    """`number` different true sentences that name everything in the scene, at most five.

    "[there is] two small red stars [left of a large blue circle] [on a grey background]".
    """
    bodies = _bodies(scene)
    ground = f"on a {scene.background} background"
    sentences = []
    for body in bodies:
        there = "there is" if body.startswith("a ") else "there are"
        sentences += [body, f"{body} {ground}", f"{there} {body}", f"{there} {body} {ground}"]
    sentences.append(f"a {scene.background} background with {rng.choice(bodies)}")
    return tuple(rng.sample(sentences, number))


def phrase(kind: Kind, count: int) -> str:
    """`a small red star`, `two small red stars`."""
    noun = kind.shape if count == 1 else PLURALS[kind.shape]
    return f"{NUMBERS[count - 1]} {kind.size} {kind.colour} {noun}"


def holds(relation: str, first: list[Thing], second: list[Thing], by: float = 0.0) -> bool:
    """Whether all centres of `first` lie on that side of all of `second`, by more than `by`."""
    if relation in (RIGHT, BELOW):
        return holds(LEFT if relation == RIGHT else ABOVE, second, first, by)
    places = ([t.x if relation == LEFT else t.y for t in things] for things in (first, second))
    before, behind = places
    return max(before) + by < min(behind)


def _bodies(scene: Scene) -> list[str]:
    groups = list(scene.groups().items())
    if len(groups) == 1:
        ((kind, things),) = groups
        return [phrase(kind, len(things))]
    return [
        f"{phrase(one, len(first))} {relation} {phrase(other, len(second))}"
        for (one, first), (other, second) in (groups, groups[::-1])
        for relation in RELATIONS
        if holds(relation, first, second, CLEARLY)
    ]
