"""What a model contains that cannot be imported: one error that names all of it."""

from collections.abc import Sequence

from torch.fx import Node as FxNode

from capexport.errors import UnsupportedError

_ADVICE = {
    "aten._native_batch_norm_legit_no_training": "fold batch norm into the convolution before it",
    "aten.batch_norm": "fold batch norm into the convolution before it",
    "aten.lstm_cell": "write the LSTM cell out: linear, split, sigmoid, tanh",
    "aten.gru_cell": "write the GRU cell out: linear, split, sigmoid, tanh",
    "aten.lstm": "export one step with the LSTM cell written out, not the loop",
    "aten.silu": "write x * sigmoid(x)",
    "aten.index": "use split or embedding",
}
"""What does the same and is imported, by aten operator."""
_GENERAL = "write it with the operators of capexport/ir/ops.py, or add an importer"


def refuse(node: FxNode, why: str) -> UnsupportedError:
    """The error for an fx node that cannot be imported, with its module and source."""
    packet = str(node.target).rpartition(".")[0]
    return UnsupportedError(
        f"{node.target}: {why}",
        where=f"{module_path(node)}: {node.format_node() or node.name}",
        hint=_ADVICE.get(packet, _GENERAL),
    )


def module_path(node: FxNode) -> str:
    """Where in the torch module the operator was called, such as `blocks.3.norm`."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    return (stack[-1][0] if stack else "") or "the module itself"


def combine(refusals: Sequence[UnsupportedError]) -> UnsupportedError:
    """One error for all of them, equal lines once."""
    if len(refusals) == 1:
        return refusals[0]
    return UnsupportedError(
        f"{len(refusals)} operations cannot be converted: "
        + "; ".join(dict.fromkeys(refusal.what for refusal in refusals)),
        where="; ".join(dict.fromkeys(refusal.where for refusal in refusals)),
        hint="; ".join(dict.fromkeys(refusal.hint for refusal in refusals)),
    )
