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
USUALLY = 0.75
"""Share of sentences in the usual order; of those without `there`; of those without ground."""
CLEARLY = 0.1
"""How far apart things are before a caption says on which side they lie; shares of the side."""


def captions(scene: Scene, number: int, rng: random.Random) -> tuple[str, ...]:
    """`number` true sentences that name everything in the scene; some may be the same.

    "[there are] two small red stars [left of a large blue circle] [on a grey background]". People
    too have a usual way to say things: what is on the left or above mostly comes first. So a model
    learns one sentence to prefer, and a rounding does not turn it into another one.
    """
    return tuple(_sentence(scene, rng) for _ in range(number))


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


def _sentence(scene: Scene, rng: random.Random) -> str:
    body = rng.choice(_bodies(scene, usual=rng.random() < USUALLY))
    if rng.random() > USUALLY:
        body = f"there {'is' if body.startswith('a ') else 'are'} {body}"
    return body if rng.random() < USUALLY else f"{body} on a {scene.background} background"


def _bodies(scene: Scene, *, usual: bool) -> list[str]:
    """Phrases of both kinds with what relates them; only the `usual` relations if there are any."""
    groups = list(scene.groups().items())
    if len(groups) == 1:
        ((kind, things),) = groups
        return [phrase(kind, len(things))]
    related = {
        relation: f"{phrase(one, len(first))} {relation} {phrase(other, len(second))}"
        for (one, first), (other, second) in (groups, groups[::-1])
        for relation in RELATIONS
        if holds(relation, first, second, CLEARLY)
    }
    preferred = next(body for relation in (LEFT, ABOVE) if (body := related.get(relation)))
    return [preferred] if usual else list(related.values())
