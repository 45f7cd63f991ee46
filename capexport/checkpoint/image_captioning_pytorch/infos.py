"""infos_*.pkl into the trainer's options and its words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from capexport.checkpoint.image_captioning_pytorch.pickled_globals import Record
from capexport.checkpoint.image_captioning_pytorch.pickled_values import read_pickle
from capexport.errors import CheckpointError

PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class Infos:
    """What an infos file says about a model.

    Args:
        options: the trainer's command line, its plain values only.
        words: in the order of their ids, which start at 1.
    """

    options: Mapping[str, Any]
    words: tuple[str, ...]


def read_infos(data: bytes, where: str) -> Infos:
    """Options and words; the counters, scores and data positions in the file are left out.

    Raises:
        CheckpointError: the pickle is damaged or hostile, or has no options or words.
    """
    infos = read_pickle(data, where)
    if not isinstance(infos, dict):
        raise _incomplete("the infos file holds no dictionary", where)
    return Infos(_options(infos.get("opt"), where), _words(infos.get("vocab"), where))


def _options(opt: object, where: str) -> dict[str, Any]:
    state = opt.state if isinstance(opt, Record) else opt
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        raise _incomplete("the infos file has no options (opt)", where)
    return {key: value for key, value in state.items() if isinstance(value, PLAIN)}


def _words(vocab: object, where: str) -> tuple[str, ...]:
    """{"1": word, ...} without gaps; some files count with numbers instead of their text."""
    if not isinstance(vocab, dict) or not vocab:
        raise _incomplete("the infos file has no words (vocab)", where)
    words: list[str] = []
    for i in range(1, len(vocab) + 1):
        word = vocab.get(str(i), vocab.get(i))
        if not isinstance(word, str):
            raise _incomplete(f"the infos file has no word {i} of {len(vocab)}", where)
        words.append(word)
    return tuple(words)


def _incomplete(what: str, where: str) -> CheckpointError:
    hint = "use the infos_*.pkl that the trainer wrote next to the weights"
    return CheckpointError(what, where=where, hint=hint)
