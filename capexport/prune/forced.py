"""A captioner run along given captions, a batch of images at once, with gradients.

The modules are those that are exported: they know one image and its hypotheses. vmap adds the axis
of images, so no architecture needs a second, batched form that could drift from the first.
"""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from capexport.captioner import Captioner
from capexport.spec.signature import APPENDED, COUNTED, StateSpec


def forced_log_probs(captioner: Captioner, inputs: Mapping[str, Tensor], tokens: Tensor) -> Tensor:
    """Log-probabilities of every next word.

    Args:
        inputs: the encoder's inputs by name, each with a first axis of images.
        tokens: what each step reads, int64 [images, captions, steps], begin token first.

    Returns:
        float32 [images, captions, steps, vocabulary].
    """
    given = tuple(inputs[spec.name] for spec in captioner.signature.inputs)

    def one_image(tokens: Tensor, *given: Tensor) -> Tensor:
        return _along(captioner, given, tokens)

    # torch types vmap as a plain callable.
    batched = torch.func.vmap(one_image, randomness="different")
    result: Tensor = batched(tokens, *given)
    return result


def _along(captioner: Captioner, inputs: tuple[Tensor, ...], tokens: Tensor) -> Tensor:
    """tokens [captions, steps] -> [captions, steps, vocabulary]."""
    signature = captioner.signature
    encoded = captioner.encoder(*inputs)
    memory, starts = encoded[: len(signature.memory)], encoded[len(signature.memory) :]
    states = _initial(signature.states, starts, tokens)
    rows = []
    for step in range(tokens.shape[1]):
        log_probs, *results = captioner.decoder_step(tokens[:, step], *states, *memory)
        states = _following(signature.states, states, results, step)
        rows.append(log_probs)
    return torch.stack(rows, 1)


def _initial(
    specs: tuple[StateSpec, ...], starts: tuple[Tensor, ...], tokens: Tensor
) -> list[Tensor]:
    remaining = iter(starts)
    states = []
    for spec in specs:
        lengths = [d for d in spec.shape[1:] if isinstance(d, int)]
        if spec.start is None:
            dtype = getattr(torch, spec.dtype)
            states.append(torch.zeros(tokens.shape[0], *lengths, dtype=dtype, device=tokens.device))
        else:
            states.append(next(remaining).expand(tokens.shape[0], *lengths))
    return states


def _following(
    specs: tuple[StateSpec, ...], states: list[Tensor], results: list[Tensor], step: int
) -> list[Tensor]:
    remaining = iter(results)
    following = []
    for spec, state in zip(specs, states, strict=True):
        if spec.update == COUNTED:
            following.append(state + 1)
        elif spec.update == APPENDED:
            following.append(_written(state, next(remaining), step * spec.rows))
        else:
            following.append(next(remaining))
    return following


def _written(cache: Tensor, rows: Tensor, first: int) -> Tensor:
    """The cache with `rows` at `first` of axis 1; built anew, since autograd keeps the old one."""
    rest = cache.shape[1] - first - rows.shape[1]
    filled = torch.cat([cache[:, :first], rows.to(cache.dtype)], 1)
    return F.pad(filled, [0, 0] * (cache.ndim - 2) + [0, rest])
