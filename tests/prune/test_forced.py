"""Running many images at once gives what running each alone gives."""

import torch
from tiny_training import LENGTH, tiny_checkpoint, tiny_examples

from capexport.captioner import build_captioner
from capexport.captioner.search import greedy
from capexport.prune.examples import shifted
from capexport.prune.forced import forced_log_probs

TOLERANCE = 1e-5
"""nats. Sums of 48 products in float32 in another order, fed back over 8 steps."""


@torch.no_grad()
def test_equals_the_reference_search_step_by_step() -> None:
    checkpoint, examples = tiny_checkpoint(), tiny_examples(5)
    captioner = build_captioner(checkpoint)
    for image in range(5):
        ids, expected = greedy(captioner, *(v[image] for v in examples.inputs.values()))
        tokens = torch.zeros(5, 3, LENGTH, dtype=torch.int64)
        tokens[image, 1, : len(ids)] = torch.tensor(ids)
        read, _, _ = shifted(tokens, checkpoint.decoding.bos)
        got = forced_log_probs(captioner, examples.inputs, read)[image, 1, : len(ids)]
        assert (got - expected).abs().max() < TOLERANCE


def test_gradients_reach_every_weight() -> None:
    checkpoint, examples = tiny_checkpoint(), tiny_examples(4)
    for tensor in checkpoint.tensors.values():
        tensor.requires_grad_()
    read, wanted, _ = shifted(examples.tokens, checkpoint.decoding.bos)
    log_probs = forced_log_probs(build_captioner(checkpoint), examples.inputs, read)
    log_probs.gather(-1, wanted[..., None]).sum().backward()
    still = {n for n, t in checkpoint.tensors.items() if t.grad is None or not t.grad.any()}
    assert still == {"core.attention.alpha_net.bias"}  # cancels in the softmax
