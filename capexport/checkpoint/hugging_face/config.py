"""config.json of a transformers captioner into checked numbers, with transformers' own defaults."""

import json
from collections.abc import Mapping
from typing import Any

from capexport.errors import CheckpointError, UnsupportedError

MOST_LAYERS = 256
LARGEST_SIZE = 2**20
"""No published captioner has a width, vocabulary or length near it."""
MADE_BY = "use the config.json that save_pretrained wrote next to the weights"

Section = Mapping[str, Any]

# Values that config.json leaves out. Keys that change the equations stand in `FIXED` below.
VIT: Section = {
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "image_size": 224,
    "patch_size": 16,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}
GPT2: Section = {
    "vocab_size": 50257,
    "n_positions": 1024,
    "n_embd": 768,
    "n_layer": 12,
    "n_head": 12,
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5,
}
BLIP_VISION: Section = {**VIT, "image_size": 384, "layer_norm_eps": 1e-5}
BLIP_TEXT: Section = {
    "vocab_size": 30524,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "max_position_embeddings": 512,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}
GIT_VISION: Section = {**VIT, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5}
GIT_TEXT: Section = {
    **BLIP_TEXT,
    "vocab_size": 30522,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "max_position_embeddings": 1024,
}

FIXED: Mapping[str, Section] = {
    "vit": {"num_channels": 3, "qkv_bias": True},
    "gpt2": {
        "add_cross_attention": True,
        "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False,
    },
    "blip_vision": {"num_channels": 3},
    "blip_text": {"is_decoder": True},
    "git_vision": {"num_channels": 3},
    "git_text": {"num_image_with_embedding": None},
}
"""Options with one supported value each."""
ABSENT_MEANS = {"add_cross_attention": False}

HEADS = (("hidden_size", "num_attention_heads"), ("n_embd", "n_head"))


def read_json(data: bytes, where: str) -> dict[str, Any]:
    """An object. CheckpointError when the bytes are no JSON object."""
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"the file is not JSON: {error}", where=where, hint="fetch the file again"
        ) from error
    if not isinstance(value, dict):
        raise CheckpointError("the file is no JSON object", where=where, hint=MADE_BY)
    return value


def architecture_of(config: Section, where: str) -> str:
    """Our name of the model: blip, git or vit_gpt2.

    Raises:
        UnsupportedError: of any other kind; names what would work.
    """
    kind = config.get("model_type")
    if kind == "vision-encoder-decoder":
        parts = [_object(config, part, where).get("model_type") for part in ("encoder", "decoder")]
        if parts == ["vit", "gpt2"]:
            return "vit_gpt2"
        kind = f"vision-encoder-decoder of {parts[0]} and {parts[1]}"
    elif kind in ("blip", "git"):
        return str(kind)
    raise UnsupportedError(
        f"there is no captioner {str(kind)[:60]!r} (config key model_type)",
        where=where,
        hint="supported: blip, git, vision-encoder-decoder of vit and gpt2",
    )


def read_config(config: Section, architecture: str, where: str) -> dict[str, Any]:
    """Sizes and options of both halves as `{"vision": {...}, "text": {...}}`.

    Raises:
        CheckpointError: a value is of the wrong kind or out of bounds.
        UnsupportedError: an option changes the equations and is not built.
    """
    if architecture == "vit_gpt2":
        halves = (("encoder", VIT, "vit"), ("decoder", GPT2, "gpt2"))
    elif architecture == "blip":
        halves = (
            ("vision_config", BLIP_VISION, "blip_vision"),
            ("text_config", BLIP_TEXT, "blip_text"),
        )
    else:
        halves = (("vision_config", GIT_VISION, "git_vision"), ("", GIT_TEXT, "git_text"))
    vision, text = (
        _section(_object(config, key, where) if key else config, defaults, FIXED[fixed], key, where)
        for key, defaults, fixed in halves
    )
    _check_patches(vision, where)
    return {"vision": vision, "text": _with_inner_width(text, config)}


def _object(config: Section, key: str, where: str) -> Section:
    value = config.get(key, {})
    if not isinstance(value, dict):
        raise CheckpointError(f"{key} is no JSON object", where=where, hint=MADE_BY)
    return value


def _section(
    given: Section, defaults: Section, fixed: Section, name: str, where: str
) -> dict[str, Any]:
    for key, only in {**fixed, "position_embedding_type": "absolute"}.items():
        value = given.get(key, ABSENT_MEANS.get(key, only))
        if value != only:
            raise UnsupportedError(
                f"{key} is {str(value)[:40]!r}, only {only!r} is supported",
                where=f"{where}: {name}",
                hint="this option changes the model's equations",
            )
    section = {key: _value(given, key, default, where) for key, default in defaults.items()}
    for width, heads in HEADS:
        if width in section and section[width] % section[heads]:
            raise _wrong(heads, section[heads], f"a divisor of {width} {section[width]}", where)
    return section


def _value(given: Section, key: str, default: object, where: str) -> Any:
    value = given.get(key, default)
    if isinstance(default, int):
        most = MOST_LAYERS if key in ("num_hidden_layers", "n_layer") else LARGEST_SIZE
        if type(value) is not int or not 1 <= value <= most:
            raise _wrong(key, value, f"a whole number from 1 to {most}", where)
    elif isinstance(default, float):
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1:
            raise _wrong(key, value, "between 0 and 1", where)
    elif not isinstance(value, str):
        raise _wrong(key, value, "a name", where)
    return value


def _check_patches(vision: Section, where: str) -> None:
    if vision["image_size"] % vision["patch_size"]:
        raise _wrong(
            "patch_size", vision["patch_size"], f"a divisor of {vision['image_size']}", where
        )


def _with_inner_width(text: dict[str, Any], config: Section) -> dict[str, Any]:
    """GPT-2 calls the width of its feed-forward layers n_inner, null for four times the width."""
    if "n_embd" in text:
        inner = config["decoder"].get("n_inner")
        text["n_inner"] = inner if type(inner) is int else 4 * text["n_embd"]
    return text


def _wrong(key: str, value: object, wanted: str, where: str) -> CheckpointError:
    return CheckpointError(
        f"{key} is {str(value)[:40]!r}, it should be {wanted}", where=where, hint=MADE_BY
    )
