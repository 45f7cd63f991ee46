"""The trainer's options into a checked configuration, its keys named as in the other lineages."""

from collections.abc import Mapping
from typing import Any

from capexport.checkpoint.image_captioning_pytorch.infos import Infos
from capexport.checkpoint.limits import LONGEST_CAPTION
from capexport.errors import CheckpointError
from capexport.spec.decoding import Decoding

ARCHITECTURES = {"updown": "up_down_lstm", "topdown": "up_down_lstm"}
"""The trainer's names of what other lineages call differently."""
SHOW_TELL = "show_tell"
DEFAULT_LENGTH = 20
UNKNOWN = "UNK"
BEAMS = {"aoa": 2}
DEFAULT_BEAM = 5
"""Beam widths of the published test commands: the file has the one of validation runs only."""


def normalised(infos: Infos, where: str) -> dict[str, Any]:
    """The options with `caption_model` as capexport names it and `vocab_size` counting id 0 too.

    Raises:
        CheckpointError: the model has no name, or another number of words than the file lists.
    """
    config = dict(infos.options)
    model = config.get("caption_model")
    if not isinstance(model, str):
        raise _wrong("caption_model", model, "a name", where)
    config["caption_model"] = ARCHITECTURES.get(model, model)
    if config.get("vocab_size") != len(infos.words):
        raise _wrong("vocab_size", config.get("vocab_size"), f"{len(infos.words)} words", where)
    config["vocab_size"] = len(infos.words) + 1
    return config


def decoding(config: Mapping[str, Any], words: tuple[str, ...], where: str) -> Decoding:
    """The rule of the trainer's evaluation.

    One token, 0, begins, ends and pads a caption where the file does not say otherwise. The last
    word is the unknown one when it is `UNK`; beam search suppresses it, but for show_tell, whose
    class knows no words.
    """
    bos, eos, pad = (_token(config, f"{key}_idx", 0, where) for key in ("bos", "eos", "pad"))
    last = len(words) if words[-1] == UNKNOWN else None
    unk = None if config.get("unk_idx", last) is None else _token(config, "unk_idx", last, where)
    architecture = config["caption_model"]
    return Decoding(
        bos=bos,
        eos=eos,
        pad=pad,
        unk=unk,
        max_length=_length(config, where),
        beam=BEAMS.get(architecture, DEFAULT_BEAM),
        suppress_unk=architecture != SHOW_TELL and bool(config.get("suppress_UNK", 1)),
    )


def _length(config: Mapping[str, Any], where: str) -> int:
    """max_length, or seq_length where that is 0 and in show_tell, which knows no other."""
    key = "max_length"
    if config["caption_model"] == SHOW_TELL or not config.get(key, DEFAULT_LENGTH):
        key = "seq_length"
    return _check({key: DEFAULT_LENGTH, **config}, key, 1, LONGEST_CAPTION, where)


def _token(config: Mapping[str, Any], key: str, default: int | None, where: str) -> int:
    return _check({key: default, **config}, key, 0, config["vocab_size"] - 1, where)


def _check(config: Mapping[str, Any], key: str, least: int, most: int | None, where: str) -> int:
    value = config.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise _wrong(key, value, f"a whole number from {least}", where)
    if most is not None and value > most:
        raise _wrong(key, value, f"at most {most}", where)
    return value


def _wrong(key: str, value: object, wanted: str, where: str) -> CheckpointError:
    return CheckpointError(
        f"option {key} is {str(value)[:40]!r}, it should be {wanted}",
        where=where,
        hint="take the infos_*.pkl and the weights from the same training run",
    )
