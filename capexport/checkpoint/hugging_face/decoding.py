"""Generation settings of a transformers folder into a Decoding, refusing what is not reproduced."""

from collections.abc import Mapping
from typing import Any

from capexport.checkpoint.hugging_face.config import MADE_BY
from capexport.errors import CheckpointError, UnsupportedError
from capexport.spec.decoding import Decoding

Settings = Mapping[str, Any]

DEFAULT_NEW_TOKENS = 20
"""What `generate` takes where neither max_length nor max_new_tokens is set."""
LONGEST_CAPTION = 1000
WIDEST_BEAM = 100

NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "do_sample": (False,),
    "num_beam_groups": (1,),
    "num_return_sequences": (1,),
    "diversity_penalty": (0.0,),
    "repetition_penalty": (1.0,),
    "encoder_repetition_penalty": (1.0,),
    "no_repeat_ngram_size": (0,),
    "encoder_no_repeat_ngram_size": (0,),
    "min_length": (0, 1),  # one token is always generated
    "min_new_tokens": (0, 1),
    "bad_words_ids": (),
    "forced_bos_token_id": (),
    "forced_eos_token_id": (),
    "suppress_tokens": ((), []),
    "begin_suppress_tokens": ((), []),
    "sequence_bias": (),
    "exponential_decay_length_penalty": (),
    "guidance_scale": (1.0,),
    "penalty_alpha": (0.0,),
    "renormalize_logits": (False,),
    "remove_invalid_values": (False,),
    "force_words_ids": (),
    "constraints": (),
    "stop_strings": (),
    "max_time": (),
    "watermarking_config": (),
}
"""Settings that change which tokens come out, and the values that do not; null never does."""


def read_decoding(settings: Settings, vocabulary_size: int, positions: int, where: str) -> Decoding:
    """The rule by which `generate` decodes with these settings.

    Args:
        settings: generation_config.json, or the keys of config.json that stand in for it.
        positions: rows of the position table, the most tokens that the decoder can read.

    Raises:
        CheckpointError: a token id or length makes no sense.
        UnsupportedError: a setting is not reproduced.
    """
    _refuse_unsupported(settings, where)
    eos = _token(settings, "eos_token_id", vocabulary_size, where)
    start = "decoder_start_token_id"
    bos_key = "bos_token_id" if settings.get(start) is None else start
    bos = _token(settings, bos_key, vocabulary_size, where)
    pad = eos
    if settings.get("pad_token_id") is not None:
        pad = _token(settings, "pad_token_id", vocabulary_size, where)
    if bos == pad != eos and bos_key != start:
        raise UnsupportedError(
            f"the caption starts with the padding token {bos}, which `generate` masks out",
            where=where,
            hint="set pad_token_id to another token",
        )
    return Decoding(
        bos=bos,
        eos=eos,
        pad=pad,
        unk=None,
        max_length=_steps(settings, positions, where),
        beam=_whole(settings, "num_beams", 1, WIDEST_BEAM, where) or 1,
        refill=True,
        length_penalty=_length_penalty(settings, where),
        early_stopping=_early_stopping(settings, where),
    )


def _refuse_unsupported(settings: Settings, where: str) -> None:
    for key, neutral in NEUTRAL.items():
        value = settings.get(key)
        if value is not None and value not in neutral:
            raise UnsupportedError(
                f"the generation setting {key} = {str(value)[:40]} is not supported",
                where=where,
                hint=f"remove {key} from the file: captions are then made without it",
            )


def _token(settings: Settings, key: str, size: int, where: str) -> int:
    value = settings.get(key)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, list):
        raise UnsupportedError(
            f"{key} names {len(value)} tokens", where=where, hint="leave one of them"
        )
    if type(value) is not int or not 0 <= value < size:
        raise CheckpointError(
            f"{key} is {str(value)[:40]}, it should be between 0 and {size - 1}",
            where=where,
            hint=MADE_BY,
        )
    return value


def _steps(settings: Settings, positions: int, where: str) -> int:
    """Decoder steps; max_length counts the start token, max_new_tokens does not."""
    steps = _whole(settings, "max_new_tokens", 1, LONGEST_CAPTION, where)
    if steps is None:
        length = _whole(settings, "max_length", 2, LONGEST_CAPTION, where)
        steps = min(DEFAULT_NEW_TOKENS, positions - 1) if length is None else length - 1
    if steps > positions:
        raise UnsupportedError(
            f"captions of {steps} tokens are asked for, the model has {positions} positions",
            where=where,
            hint="lower max_length or max_new_tokens in generation_config.json",
        )
    return steps


def _length_penalty(settings: Settings, where: str) -> float:
    value = settings.get("length_penalty")
    if value is None:
        return 1.0
    if not isinstance(value, int | float) or isinstance(value, bool) or not -10 <= value <= 10:
        raise CheckpointError(
            f"length_penalty is {str(value)[:40]}, it should be from -10 to 10",
            where=where,
            hint=MADE_BY,
        )
    return float(value)


def _early_stopping(settings: Settings, where: str) -> bool:
    value = settings.get("early_stopping")
    if value not in (None, False, True):
        raise UnsupportedError(
            f"the generation setting early_stopping = {str(value)[:40]} is not supported",
            where=where,
            hint="true and false are",
        )
    return bool(value)


def _whole(settings: Settings, key: str, low: int, high: int, where: str) -> int | None:
    value = settings.get(key)
    if value is not None and (type(value) is not int or not low <= value <= high):
        raise CheckpointError(
            f"{key} is {str(value)[:40]}, it should be from {low} to {high}",
            where=where,
            hint=MADE_BY,
        )
    return value
