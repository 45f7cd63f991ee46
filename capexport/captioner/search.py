"""Reference decoding in torch: the loops of the trainers and of transformers, nothing clever.

`capexport.runtime.decode` stops early and knows no torch; it is tested against this.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from capexport.captioner.captioner import Captioner
from capexport.spec.signature import APPENDED, COUNTED, StateSpec

FINISHED_PENALTY = 1000.0
"""nats taken from a finished beam, so that any live beam displaces it at the next step."""
UNK_PENALTY = 1000.0
"""nats taken from the unknown word in beam search, where the lineage suppresses it."""


@dataclass(frozen=True)
class Hypothesis:
    """Token ids (with the end token when one was produced) and their sum of log-probabilities."""

    tokens: tuple[int, ...]
    log_prob: float


@torch.no_grad()
def greedy(captioner: Captioner, *features: Tensor) -> tuple[list[int], Tensor]:
    """Most probable word at each step, end token included.

    Args:
        features: the encoder's inputs in signature order.

    Returns:
        ids, and log-probabilities [steps, vocabulary].
    """
    step = _Stepper(captioner, features)
    tokens = [captioner.decoding.bos]
    rows: list[Tensor] = []
    while len(rows) < captioner.decoding.max_length:
        rows.append(step(tokens[-1:])[0])
        tokens.append(int(rows[-1].argmax()))
        if tokens[-1] == captioner.decoding.eos:
            break
    return tokens[1:], torch.stack(rows)


@torch.no_grad()
def beam_search(captioner: Captioner, width: int, *features: Tensor) -> list[Hypothesis]:
    """The `width` best captions, best first; 1 is greedy."""
    if captioner.decoding.refill and width > 1:
        return _refilling_search(captioner, width, *features)
    step, rule = _Stepper(captioner, features), captioner.decoding
    sequences: list[tuple[int, ...]] = [()]
    scores, tokens = torch.zeros(1), [rule.bos]
    finished: list[Hypothesis] = []
    for t in range(rule.max_length):
        log_probs = step(tokens)
        if rule.suppress_unk and rule.unk is not None and width > 1:
            log_probs[:, rule.unk] -= UNK_PENALTY
        total = (scores[:, None] + log_probs).flatten()
        scores, best = total.sort(descending=True, stable=True)
        scores, best = scores[:width], best[:width]
        sources = (best // captioner.signature.vocabulary_size).tolist()
        tokens = (best % captioner.signature.vocabulary_size).tolist()
        sequences = [(*sequences[s], w) for s, w in zip(sources, tokens, strict=True)]
        step.gather(sources)
        for i, token in enumerate(tokens):
            if token == rule.eos or t == rule.max_length - 1:
                finished.append(Hypothesis(sequences[i], float(scores[i])))
                scores[i] -= FINISHED_PENALTY
    finished.sort(key=lambda hypothesis: -hypothesis.log_prob)
    return finished[:width]


def _refilling_search(captioner: Captioner, width: int, *features: Tensor) -> list[Hypothesis]:
    """`GenerationMixin._beam_search` of transformers 5, `early_stopping` True or False."""
    step, rule = _Stepper(captioner, features), captioner.decoding
    size = captioner.signature.vocabulary_size
    running: list[Hypothesis] = [Hypothesis((), 0.0)]
    finished: list[tuple[float, Hypothesis]] = []
    for t in range(1, rule.max_length + 1):
        log_probs = step([one.tokens[-1] if one.tokens else rule.bos for one in running])
        total = (torch.tensor([one.log_prob for one in running])[:, None] + log_probs).flatten()
        scores, best = total.sort(descending=True, stable=True)
        going_on: list[tuple[int, Hypothesis]] = []
        for i, (score, place) in enumerate(zip(scores.tolist(), best.tolist(), strict=True)):
            source, token = divmod(place, size)
            grown = Hypothesis((*running[source].tokens, token), score)
            if token != rule.eos and t < rule.max_length:
                going_on.append((source, grown))
            elif i < width:
                finished.append((score / t**rule.length_penalty, grown))
            if i == 2 * width - 1:
                break
        finished = sorted(finished, key=lambda entry: -entry[0])[:width]
        if not going_on:
            break
        going_on = going_on[:width]
        running = [grown for _, grown in going_on]
        best_possible = running[0].log_prob / t**rule.length_penalty
        full = len(finished) == width
        if full and (rule.early_stopping or best_possible <= finished[-1][0]):
            break
        step.gather([source for source, _ in going_on])
    return [hypothesis for _, hypothesis in finished]


class _Stepper:
    """The decoder step with its states held between calls."""

    def __init__(self, captioner: Captioner, features: tuple[Tensor, ...]) -> None:
        signature = captioner.signature
        self._step = captioner.decoder_step
        outputs = captioner.encoder(*features)
        self._memory = outputs[: len(signature.memory)]
        starts = iter(outputs[len(signature.memory) :])
        self._specs = signature.states
        self._states = [next(starts) if s.start else _zeros(s) for s in self._specs]
        self._steps = 0

    def __call__(self, tokens: list[int]) -> Tensor:
        token = torch.tensor(tokens, dtype=torch.int32)
        log_probs: Tensor
        log_probs, *results = self._step(token, *self._states, *self._memory)
        self._advance(iter(results))
        return log_probs

    def _advance(self, results: Iterator[Tensor]) -> None:
        for i, spec in enumerate(self._specs):
            if spec.update == COUNTED:
                self._states[i] = self._states[i] + 1
            elif spec.update == APPENDED:
                first = self._steps * spec.rows
                self._states[i][:, first : first + spec.rows] = next(results)
            else:
                self._states[i] = next(results)
        self._steps += 1

    def gather(self, beams: list[int]) -> None:
        self._states = [state[beams] for state in self._states]


def _zeros(state: StateSpec) -> Tensor:
    """One row; behind the beams a state has no named axis."""
    lengths = [length for length in state.shape if isinstance(length, int)]
    return torch.zeros([1, *lengths], dtype=getattr(torch, state.dtype))
