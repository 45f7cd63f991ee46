"""How much of a stranger's file the readers are willing to hold in memory."""

from dataclasses import dataclass

MIB = 2**20
GIB = 2**30
LONGEST_CAPTION = 1000
"""Tokens; more than any trainer's limit, so that a damaged number is noticed."""
LONGEST_SIDE = 4096
"""Pixels of an image encoder's input; a bundle's manifest has the same bound."""


@dataclass(frozen=True)
class Limits:
    """Bounds that a file must keep to before it is unpacked or made dense.

    The largest published checkpoint (Object Relation Transformer with mask logits) is 0.5 GB and
    has 111 million elements, so the defaults leave a factor of four.

    Args:
        weights_bytes: most bytes of a .pth, and of what its own zip container unpacks to.
        pickle_bytes: most bytes of the pickle inside a .pth container (names and shapes only).
        text_bytes: most bytes of config.json or a vocabulary.
        archive_bytes: most bytes that all members of a .zip unpack to.
        archive_members: most members of a .zip, a .pth container included.
        elements: most elements of all tensors of a file together, counted as if dense.
    """

    weights_bytes: int = 2 * GIB
    pickle_bytes: int = 16 * MIB
    text_bytes: int = 16 * MIB
    archive_bytes: int = 8 * GIB
    archive_members: int = 20_000
    elements: int = 2**29


DEFAULT_LIMITS = Limits()
