"""config.json of any trainer version into the newest version's keys, checked."""

import json
import re
from collections.abc import Mapping
from typing import Any

from capexport.checkpoint.limits import LONGEST_CAPTION
from capexport.errors import CheckpointError, UnsupportedError

NEWEST = "1.0.0-alpha"
UNVERSIONED = "0.1.0"
"""The version that the trainer assumes when the key is absent."""
WORD, RADIX = "word", "radix"
PRUNE_SUFFIX = "_prune"
DEFAULT_HEADS = 8
WIDEST_BEAM = 100

TOKEN_IDS = ("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id")
COMMON_SIZES = ("vocab_size", "max_seq_length", "beam_size_test", "att_feat_size")
TRANSFORMER_SIZES = ("d_model", "dim_feedforward", "num_layers", "num_heads")
ARCHITECTURE_SIZES: Mapping[str, tuple[str, ...]] = {
    "up_down_lstm": (
        "fc_feat_size",
        "input_encoding_size",
        "rnn_size",
        "att_hid_size",
        "logit_layers",
    ),
    "relation_transformer": TRANSFORMER_SIZES,
    "transformer": TRANSFORMER_SIZES,
}
"""Positive whole numbers that the architecture is rebuilt from, by its torch module."""


def read_config(data: bytes, where: str) -> dict[str, Any]:
    """Configuration with the newest version's keys; `caption_model` without its pruning suffix.

    Raises:
        CheckpointError: not JSON, a key is missing, or a value makes no sense.
        UnsupportedError: another tokenizer than the word model and its radix form.
    """
    config = _normalised(_parsed(data, where), where)
    tokenizer = _required(config, "tokenizer", where)
    if tokenizer not in (WORD, RADIX):
        raise UnsupportedError(
            f"the tokenizer is {str(tokenizer)[:40]!r}; capexport reads {WORD!r} and {RADIX!r}",
            where=where,
            hint=f"use a checkpoint trained with --tokenizer {WORD}",
        )
    _check_numbers(config, where)
    return config


def _parsed(data: bytes, where: str) -> dict[str, Any]:
    try:
        config = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"the configuration is not JSON: {error}", where=where, hint="fetch the file again"
        ) from error
    if not isinstance(config, dict):
        raise CheckpointError(
            "the configuration is not a JSON object", where=where, hint="fetch the file again"
        )
    return config


def _normalised(config: dict[str, Any], where: str) -> dict[str, Any]:
    """The renames of the trainer's own Config.compat; the input is left as it is."""
    config = dict(config)
    version = _version(config.get("version", UNVERSIONED), where)
    model = _required(config, "caption_model", where)
    if not isinstance(model, str):
        raise _wrong("caption_model", model, "a name", where)
    # the _prune classes decode without self-attention history; the trainer evaluates without them
    model = config["caption_model"] = model.removesuffix(PRUNE_SUFFIX)
    if version < (0, 3):
        _from_before_0_3(config, model, where)
    if version < (0, 6):
        _from_before_0_6(config, model, where)
    config["version"] = NEWEST
    return config


def _from_before_0_3(config: dict[str, Any], model: str, where: str) -> None:
    config["vocab_size"] = _number(config, "vocab_size", where) + 1
    if "transformer" in model:
        config["d_model"] = _required(config, "input_encoding_size", where)
        config["dim_feedforward"] = _required(config, "rnn_size", where)
        config["drop_prob_src"] = _required(config, "drop_prob_lm", where)
        for old in ("input_encoding_size", "rnn_size", "drop_prob_lm"):
            del config[old]


def _from_before_0_6(config: dict[str, Any], model: str, where: str) -> None:
    for key in ("att_encoder", "att_decoder", "layer_encoder", "layer_decoder"):
        config[f"share_{key}"] = None
    if "relation_transformer" in model:
        trigonometric = _required(config, "box_trigonometric_embedding", where)
        config["no_box_trigonometric_embedding"] = not trigonometric
    if "transformer" in model:
        config.setdefault("num_heads", DEFAULT_HEADS)


def _check_numbers(config: Mapping[str, Any], where: str) -> None:
    sizes = COMMON_SIZES + ARCHITECTURE_SIZES.get(config["caption_model"], ())
    limits = {"max_seq_length": LONGEST_CAPTION, "beam_size_test": WIDEST_BEAM}
    for key in sizes:
        size = _number(config, key, where)
        if size < 1 or size > limits.get(key, size):
            most = f" of at most {limits[key]}" if key in limits else ""
            raise _wrong(key, size, f"a positive number{most}", where)
    # a radix model writes even <unk> as several tokens; words.py looks at them
    for key in TOKEN_IDS[:-1] if config["tokenizer"] == RADIX else TOKEN_IDS:
        token = _number(config, key, where)
        if not 0 <= token < config["vocab_size"]:
            raise _wrong(key, token, f"between 0 and vocab_size {config['vocab_size']}", where)


def _version(text: object, where: str) -> tuple[int, int]:
    match = re.match(r"(\d{1,4})\.(\d{1,4})\.", str(text))
    if match is None:
        raise _wrong("version", text, "a version such as 0.4.0", where)
    return int(match[1]), int(match[2])


def _number(config: Mapping[str, Any], key: str, where: str) -> int:
    value = _required(config, key, where)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong(key, value, "a whole number", where)
    return value


def _required(config: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in config:
        raise CheckpointError(
            f"the configuration has no {key}",
            where=where,
            hint="use the config.json that the trainer wrote next to the weights",
        )
    return config[key]


def _wrong(key: str, value: object, wanted: str, where: str) -> CheckpointError:
    return CheckpointError(
        f"{key} is {str(value)[:40]!r}, it should be {wanted}",
        where=where,
        hint="use the config.json that the trainer wrote next to the weights",
    )
