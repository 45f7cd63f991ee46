"""A finished .tflite -> how many operators of each kind it has."""

from collections import Counter

from ai_edge_litert import schema_py_generated as schema

_CUSTOM = schema.BuiltinOperator.CUSTOM
_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")
}


def count_operators(data: bytes) -> dict[str, int]:
    """Operators of the only subgraph by the schema's names, our own by theirs."""
    model = schema.Model.GetRootAs(data, 0)
    subgraph = model.Subgraphs(0)
    indices = (subgraph.Operators(i).OpcodeIndex() for i in range(subgraph.OperatorsLength()))
    return dict(Counter(_name(model.OperatorCodes(index)) for index in indices))


def _name(entry: schema.OperatorCode) -> str:
    code = max(entry.BuiltinCode(), entry.DeprecatedBuiltinCode())
    name: str = entry.CustomCode().decode() if code == _CUSTOM else _NAMES[code]
    return name
