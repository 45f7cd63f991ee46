"""Names and shapes of the tensors that layers of a state dictionary consist of."""

Shapes = dict[str, tuple[int, ...]]


def affine(name: str, outputs: int, inputs: int) -> Shapes:
    """nn.Linear: weight [outputs, inputs] and bias."""
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norm(name: str, width: int) -> Shapes:
    """nn.LayerNorm: weight and bias."""
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}
