"""A caption and the scene it was said of -> whether it is true, and whether it names everything."""

import re
from typing import NamedTuple

from capexport.scenes.grammar import NUMBERS, PLURALS, RELATIONS, holds
from capexport.scenes.scene import BACKGROUNDS, COLOURS, RADII, Kind, Scene, Thing


class Verdict(NamedTuple):
    """What a caption is worth.

    Args:
        is_true: it is a sentence of the grammar, and everything that it says holds: each phrase
            counts all things of its kind, the relation holds for all of them, and so does the
            background.
        is_complete: it is true and its phrases cover every thing of the scene.
    """

    is_true: bool
    is_complete: bool


def _one_of(words: object) -> str:
    return f"({'|'.join(map(str, words))})"  # type: ignore[call-overload]


_NOUNS = (*PLURALS, *PLURALS.values())
_PHRASE = " ".join(_one_of(words) for words in (NUMBERS, RADII, COLOURS, _NOUNS))
_SENTENCE = re.compile(
    rf"(?:there (is|are) )?"
    rf"{_PHRASE}(?: {_one_of(RELATIONS)} {_PHRASE})?(?: on a {_one_of(BACKGROUNDS)} background)?"
)
_SINGULAR = {plural: noun for noun, plural in PLURALS.items()}


def judge(caption: str, scene: Scene) -> Verdict:
    """Hold a caption against its scene."""
    match = _SENTENCE.fullmatch(caption)
    if match is None:
        return Verdict(is_true=False, is_complete=False)
    verb, *words = match.groups()
    relation, ground = words[4], words[9]
    phrases = [words[:4]] if relation is None else [words[:4], words[5:9]]
    named = [_named(phrase, scene) for phrase in phrases]
    is_true = (
        None not in named
        and verb in (None, "is" if words[0] == "a" else "are")
        and ground in (None, scene.background)
        and (relation is None or _relates(relation, named))
    )
    things = sum(len(group or ()) for group in named)
    return Verdict(is_true, is_true and things == len(scene.things))


def _named(words: list[str], scene: Scene) -> list[Thing] | None:
    """The things of a phrase; None when there are not as many, or its noun has the wrong form."""
    number, size, colour, noun = words
    is_plural = noun in _SINGULAR
    things = scene.groups().get(Kind(size, colour, _SINGULAR.get(noun, noun)), [])
    agrees = is_plural == (number != "a")
    return things if agrees and len(things) == NUMBERS.index(number) + 1 else None


def _relates(relation: str, named: list[list[Thing] | None]) -> bool:
    first, second = named
    return first is not None and second is not None and holds(relation, first, second)
