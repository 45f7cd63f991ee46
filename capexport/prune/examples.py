"""Captioned images -> the tensors that training reads."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from capexport.checkpoint import Checkpoint
from capexport.errors import InputError
from capexport.evaluate.datasets import CaptionedImage
from capexport.prune.words import IGNORED, token_ids, word_ids
from capexport.spec.decoding import Decoding
from capexport.spec.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Examples:
    """Images with as many captions each.

    Args:
        inputs: the encoder's inputs by name, first axis images.
        tokens: int64 [images, captions, max_length]; ends in the end token, then IGNORED.
        views: further inputs of the same images, by the same names: what another encoder sees.
    """

    inputs: Mapping[str, Tensor]
    tokens: Tensor
    views: Sequence[Mapping[str, Tensor]] = ()

    def __len__(self) -> int:
        return len(self.tokens)

    def batches(self, size: int, seed: int) -> Iterator[Tensor]:
        """Indices of one epoch in the order that `seed` makes; a last, smaller batch is dropped."""
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        size = min(size, len(self))
        for first in range(0, len(self) - size + 1, size):
            yield order[first : first + size]

    def take(
        self, indices: Tensor, captions: int, device: torch.device
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Inputs and tokens of some images, on `device`, as float32 where they are floats.

        With views, each image's inputs are one of them or the first, drawn from torch's generator.

        Args:
            captions: how many of each image, drawn from torch's generator; 0: all, in order.
        """
        inputs = {}
        for name, values in self._seen(indices).items():
            chosen = values.to(device)
            inputs[name] = chosen.float() if chosen.is_floating_point() else chosen
        tokens = self.tokens[indices]
        if 0 < captions < tokens.shape[1]:
            drawn = torch.rand(tokens.shape[:2]).argsort(1)[:, :captions]
            tokens = tokens.gather(1, drawn[..., None].expand(-1, -1, tokens.shape[2]))
        steps = int((tokens != IGNORED).sum(-1).max())
        return inputs, tokens[..., :steps].to(device)

    def _seen(self, indices: Tensor) -> dict[str, Tensor]:
        """Inputs of some images, each by one of its views."""
        if not self.views:
            return {name: values[indices] for name, values in self.inputs.items()}
        views = [self.inputs, *self.views]
        drawn = torch.randint(len(views), (len(indices),))
        return {
            name: torch.stack(
                [views[view][name][index] for view, index in zip(drawn, indices, strict=True)]
            )
            for name in self.inputs
        }


def examples_of(
    images: Sequence[CaptionedImage],
    inputs: Mapping[str, Tensor],
    checkpoint: Checkpoint,
    views: Sequence[Mapping[str, Tensor]] = (),
) -> Examples:
    """Images, their encoder inputs, and their captions in a checkpoint's words."""
    texts = [image.captions for image in images]
    tokens = caption_tokens(texts, checkpoint.vocabulary, checkpoint.decoding)
    return Examples(inputs, tokens, views)


def caption_tokens(
    captions: Sequence[Sequence[str]], vocabulary: Vocabulary, rule: Decoding
) -> Tensor:
    """int64 [images, captions, max_length]; InputError unless all images have as many captions."""
    counts = {len(texts) for texts in captions}
    if len(counts) != 1:
        raise InputError(
            f"images have from {min(counts)} to {max(counts)} captions",
            where="captions",
            hint="give every image the same number of captions",
        )
    ids = word_ids(vocabulary)
    return torch.tensor([[token_ids(text, ids, rule) for text in texts] for texts in captions])


def shifted(tokens: Tensor, bos: int) -> tuple[Tensor, Tensor, Tensor]:
    """What each step reads, what it should say, and float 1 where it should say anything."""
    counts = (tokens != IGNORED).float()
    wanted = tokens.clamp_min(0)
    first = torch.full_like(wanted[..., :1], bos)
    return torch.cat([first, wanted[..., :-1]], -1), wanted, counts
