"""A captioner of a few thousand weights and images whose features say which caption they have."""

import torch

from capexport.checkpoint import Checkpoint
from capexport.prune.examples import Examples, caption_tokens
from capexport.prune.initial import untrained
from capexport.prune.words import decoding_rule, word_list

CAPTIONS = ("a red house", "two dogs on grass", "the sea", "a plane over two houses")
FEATURES, REGIONS, LENGTH = 12, 5, 8
CONFIG = {
    "rnn_size": 16,
    "input_encoding_size": 16,
    "att_hid_size": 8,
    "att_feat_size": FEATURES,
    "fc_feat_size": FEATURES,
}


def tiny_checkpoint(seed: int = 0) -> Checkpoint:
    words = word_list(CAPTIONS, 1)
    config = {**CONFIG, "vocab_size": len(words)}
    return untrained("up_down_lstm", config, words, decoding_rule(LENGTH, 2), seed)


def tiny_examples(images: int = 12) -> Examples:
    """Image n has the caption n modulo 4, twice, and features around that caption's own."""
    generator = torch.Generator().manual_seed(1)
    kinds = torch.arange(images) % len(CAPTIONS)
    centres = torch.rand(len(CAPTIONS), 1, FEATURES, generator=generator) * 2
    att = centres[kinds] + 0.1 * torch.rand(images, REGIONS, FEATURES, generator=generator)
    captions = [[CAPTIONS[kind]] * 2 for kind in kinds]
    tokens = caption_tokens(captions, word_list(CAPTIONS, 1), decoding_rule(LENGTH, 2))
    return Examples({"att": att, "fc": att.mean(1, keepdim=True)}, tokens)
