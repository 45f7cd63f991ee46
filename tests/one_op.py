"""One-operator graphs over awkward shapes, for the tests of both writers."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from capexport.compress import RECIPES, apply_recipe
from capexport.ir.graph import Constant, Graph, Node
from capexport.ir.ops import FLOAT, infer_shapes
from capexport.spec.signature import Shape, TensorSpec

AXES = ({"beams": 1, "regions": 1}, {"beams": 5, "regions": 7}, {"beams": 3, "regions": 100})

POSITIVE = ("log", "sqrt")
"""Operators whose inputs are positive."""


@dataclass(frozen=True)
class Case:
    """An operator, its input shapes, and which inputs are constants of which sparsity."""

    op: str
    shapes: tuple[Shape, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    constants: dict[int, float] = field(default_factory=dict)
    recipe: str = "fp32"

    def __str__(self) -> str:
        zeros = "-".join(f"zeros{share:g}" for share in self.constants.values())
        shapes = "_".join("x".join(map(str, shape)) for shape in self.shapes)
        return "-".join(filter(None, (self.op, shapes, zeros, self.recipe)))

    def graph(self) -> Graph:
        names = [f"x{i}" for i in range(len(self.shapes))]
        outputs = tuple(f"y{i}" for i in range(self.attributes.get("parts", 1)))
        node = Node(self.op, tuple(names), outputs, self.attributes)
        specs = [
            TensorSpec(n, s, "int32" if self.op == "embedding" and n == "x1" else "float32")
            for n, s in zip(names, self.shapes, strict=True)
        ]
        results = infer_shapes(node, list(self.shapes))
        specs += [TensorSpec(n, s) for n, s in zip(outputs, results, strict=True)]
        given = [s for i, s in enumerate(specs[: len(names)]) if i not in self.constants]
        graph = Graph(
            name=self.op,
            inputs=tuple(s.name for s in given),
            outputs=outputs,
            nodes=(node,),
            values={s.name: s for s in [*given, *specs[len(names) :]]},
            constants={f"x{i}": self._constant(i) for i in self.constants},
        )
        return apply_recipe(graph, RECIPES[self.recipe])

    def _constant(self, index: int) -> Constant:
        rng = np.random.default_rng(index)
        shape = tuple(int(d) for d in self.shapes[index])
        kept = rng.random(shape) >= self.constants[index]
        return Constant(f"x{index}", (rng.normal(size=shape) * kept).astype(np.float32))

    def inputs(self, axes: dict[str, int]) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(7)
        given = {}
        for name, spec in self.graph().values.items():
            shape = [axes[d] if isinstance(d, str) else d for d in spec.shape]
            if name.startswith("y"):
                continue
            if spec.dtype == "int32":
                given[name] = rng.integers(0, self.shapes[0][0], shape).astype(np.int32)
            else:
                given[name] = rng.normal(0, 2, shape).astype(np.float32)
                if self.op in POSITIVE:
                    given[name] = np.abs(given[name])
        return given


def linear(rows: int, columns: int, zeros: float, recipe: str, *, bias: bool = True) -> Case:
    shapes: tuple[Shape, ...] = (("beams", columns), (rows, columns))
    constants = {1: zeros}
    if bias:
        shapes, constants = (*shapes, (rows,)), {**constants, 2: 0.0}
    return Case("linear", shapes, {"activations": FLOAT, "relu": bias}, constants, recipe)


FLOAT_CASES = (
    Case("add", (("regions", 12), ("beams", 1, 12))),
    Case("add", (("beams", 5), (5,)), constants={1: 0.0}),
    Case("sub", (("beams", 5), ("beams", 5))),
    Case("mul", (("beams", "regions", 12), (12,)), constants={1: 0.0}),
    Case("mul", (("beams", 1), ("beams", 17))),
    Case("div", (("beams", 7), ("beams", 1))),
    Case("maximum", (("beams", 7), ()), constants={1: 0.0}),
    Case("maximum", (("beams", 5), ("beams", 5))),
    Case("abs", (("beams", 7),)),
    Case("log", (("regions", "regions", 3),)),
    Case("sqrt", (("beams", 1),)),
    Case("sin", (("regions", "regions", 3),)),
    Case("cos", (("beams", 31),)),
    Case("relu", (("beams", 13),)),
    Case("sigmoid", (("beams", 13),)),
    Case("tanh", (("beams", 13),)),
    Case("gelu", (("beams", 13),), {"approximate": False}),
    Case("gelu", (("beams", 13),), {"approximate": True}),
    Case("softmax", (("beams", "regions"),)),
    Case("log_softmax", (("beams", 31),)),
    Case("sum", (("beams", "regions", 12),), {"axis": 2}),
    Case("mean", (("beams", "regions", 12),), {"axes": (2,), "keep": True}),
    Case("mean", (("beams", 7),), {"axes": (1,), "keep": False}),
    Case("layer_norm", (("beams", 17), (17,), (17,)), {"epsilon": 1e-5}, {1: 0.0, 2: 0.0}),
    Case("layer_norm", (("beams", 1), (1,), (1,)), {"epsilon": 1e-5}, {1: 0.0, 2: 0.0}),
    Case("concat", (("beams", 3), ("beams", 1), ("beams", 7)), {"axis": 1}),
    Case("split", (("beams", 12),), {"axis": 1, "parts": 4}),
    Case("split", (("beams", 12),), {"axis": 1, "parts": 6}),
    Case("split", (("beams", 12),), {"axis": 1, "parts": 1}),
    Case("split", ((12, "regions", 3),), {"axis": 0, "parts": 12}),
    Case("unsqueeze", (("beams", 12),), {"axis": 1}),
    Case("unsqueeze", (("beams", "regions"),), {"axis": 2}),
    Case("slice", (("beams", 3, 7),), {"axis": 2, "start": 2, "stop": 7}),
    Case("slice", (("beams", 3, 7),), {"axis": 1, "start": 0, "stop": 1}),
    Case("reshape", (("beams", 12),), {"shape": ("beams", 3, 1, 4)}),
    Case("reshape", ((3, "regions", 4),), {"shape": (12, "regions")}),
    Case("transpose", (("beams", 3, 5),), {"order": (1, 0, 2)}),
    Case("transpose", (("beams", 3, 2, 5),), {"order": (0, 2, 1, 3)}),
    Case("transpose", (("regions", "regions", 3),), {"order": (2, 0, 1)}),
    Case("matmul", (("beams", "regions"), ("regions", 8))),
    Case("matmul", (("beams", 4, 6), ("beams", 9, 6)), {"transposed": True}),
    Case("matmul", ((4, "beams", 6), (4, "regions", 6)), {"transposed": True}),
    Case("matmul", ((4, "beams", "regions"), (4, "regions", 6))),
    Case("matmul", (("beams", 4, 1, 6), ("beams", 4, 9, 6)), {"transposed": True}),
)
WEIGHT_CASES = tuple(
    case
    for recipe in ("fp32", "weight_only_wi8", "dynamic_wi8")
    for case in (
        *(linear(rows, columns, 0.0, recipe) for rows, columns in ((1, 1), (7, 13), (64, 256))),
        *(linear(31, 300, zeros, recipe) for zeros in (0.5, 0.95, 1.0)),
        linear(5, 1, 0.0, recipe, bias=False),
        linear(33, 257, 0.9, recipe, bias=False),
        Case("embedding", ((11, 6), ("beams",)), constants={0: 0.0}, recipe=recipe),
        Case("embedding", ((300, 40), ("beams",)), constants={0: 0.97}, recipe=recipe),
        Case("embedding", ((30, 4), ("beams",)), constants={0: 1.0}, recipe=recipe),
    )
)
