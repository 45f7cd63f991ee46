"""Signature and decoding rule <-> their part of manifest.json."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from capexport.bundle.fields import Fields
from capexport.spec.decoding import MOST_PENALTY, Decoding
from capexport.spec.signature import (
    APPENDED,
    BEAMS,
    COUNTED,
    LOG_PROBS,
    REPLACED,
    TOKEN,
    CaptionerSignature,
    Shape,
    StateSpec,
    TensorSpec,
)

DTYPES = ("float32", "int32", "uint8")


def signature_fields(signature: CaptionerSignature) -> dict[str, Any]:
    """JSON values of a signature; the names of step inputs and outputs are spelled out."""
    return {
        "inputs": [_tensor_fields(spec) for spec in signature.inputs],
        "memory": [_tensor_fields(spec) for spec in signature.memory],
        "states": [_state_fields(state) for state in signature.states],
        "token": TOKEN,
        "log_probs": LOG_PROBS,
        "vocabulary_size": signature.vocabulary_size,
    }


def _state_fields(state: StateSpec) -> dict[str, Any]:
    """`next` is absent for a counted state, `start` for one of zeros, `rows` unless appended."""
    fields = {**_tensor_fields(state), "update": state.update}
    if state.update != COUNTED:
        fields["next"] = state.next_name
    if state.update == APPENDED:
        fields["rows"] = state.rows
    if state.start is not None:
        fields["start"] = state.start
    return fields


def _tensor_fields(spec: TensorSpec | StateSpec) -> dict[str, Any]:
    return {"name": spec.name, "shape": list(spec.shape), "dtype": spec.dtype}


def read_signature(fields: Fields) -> CaptionerSignature:
    """The signature; BundleError where a key, type, dtype, dimension or name is wrong."""
    fields.expect("token", TOKEN)
    fields.expect("log_probs", LOG_PROBS)
    try:
        signature = CaptionerSignature(
            inputs=tuple(TensorSpec(*_read_tensor(spec)) for spec in fields.children("inputs")),
            memory=tuple(TensorSpec(*_read_tensor(spec)) for spec in fields.children("memory")),
            states=tuple(_read_state(state) for state in fields.children("states")),
            vocabulary_size=fields.integer("vocabulary_size", 1),
        )
    except ValueError as error:
        fields.fail(str(error))
    for specs in (
        signature.inputs,
        signature.encoder_outputs,
        signature.step_inputs,
        signature.step_outputs,
    ):
        _check_distinct(fields, (spec.name for spec in specs))
    return signature


def _read_state(fields: Fields) -> StateSpec:
    name, shape, dtype = _read_tensor(fields)
    update = fields.optional_text("update") or REPLACED  # schema 1 knew no other
    start = fields.optional_text("start")
    if not shape or shape[0] != BEAMS:
        fields.fail(f"a state has the shape {list(shape)}, its first axis must be {BEAMS!r}")
    if update == REPLACED:
        state = StateSpec(name, shape, dtype, start)
    elif update == APPENDED:
        state = StateSpec(name, shape, dtype, start, APPENDED, fields.integer("rows", 1))
        _check_capacity(fields, state)
    elif update == COUNTED:
        if (shape, dtype, start) != ((BEAMS,), "int32", None):
            fields.fail("a counted state must be int32 [beams] and start at zero")
        return StateSpec(name, shape, dtype, None, COUNTED)
    else:
        fields.fail(f"update is {update!r}, it must be {REPLACED}, {APPENDED} or {COUNTED}")
    fields.expect("next", state.next_name)
    return state


def _check_capacity(fields: Fields, state: StateSpec) -> None:
    capacity = state.shape[1] if len(state.shape) > 1 else None
    if not isinstance(capacity, int) or capacity % state.rows:
        fields.fail(
            f"a cache of shape {list(state.shape)} does not hold steps of {state.rows} rows"
        )


def _read_tensor(fields: Fields) -> tuple[str, Shape, str]:
    dtype = fields.text("dtype")
    if dtype not in DTYPES:
        fields.fail(f"dtype is {dtype!r}, it must be one of {', '.join(DTYPES)}")
    return fields.text("name"), _read_shape(fields), dtype


def _read_shape(fields: Fields) -> Shape:
    shape = fields.array("shape")
    for dimension in shape:
        length = type(dimension) is int and dimension > 0
        axis = isinstance(dimension, str) and dimension
        if not (length or axis):
            fields.fail(f"a dimension is {dimension!r}, neither a positive length nor an axis name")
    return tuple(shape)


def _check_distinct(fields: Fields, names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            fields.fail(f"two tensors of one graph are called {name!r}")


def decoding_fields(decoding: Decoding) -> dict[str, Any]:
    """JSON values of a decoding rule; `unk` is null where there is none."""
    return asdict(decoding)


def read_decoding(fields: Fields, vocabulary_size: int) -> Decoding:
    """The rule; BundleError where a key or type is wrong or a token is outside the vocabulary."""
    try:
        return _decoding(fields, vocabulary_size)
    except ValueError as error:
        fields.fail(str(error))


def _decoding(fields: Fields, vocabulary_size: int) -> Decoding:
    """Schema 1 knew no refill and what needs it."""
    known = fields.raw()
    return Decoding(
        bos=fields.integer("bos", 0, vocabulary_size),
        eos=fields.integer("eos", 0, vocabulary_size),
        pad=fields.integer("pad", 0, vocabulary_size),
        unk=fields.optional_integer("unk", 0, vocabulary_size),
        max_length=fields.integer("max_length", 1),
        beam=fields.integer("beam", 1),
        suppress_unk=fields.boolean("suppress_unk"),
        refill=fields.boolean("refill") if "refill" in known else False,
        length_penalty=fields.number("length_penalty", MOST_PENALTY)
        if "length_penalty" in known
        else 0.0,
        early_stopping=fields.boolean("early_stopping") if "early_stopping" in known else False,
    )
