"""Graphs with packed weights as .tflite files, opened with the delegate that runs them."""

from dataclasses import replace

from ai_edge_litert.interpreter import Interpreter, load_delegate

from capexport.ir.graph import Graph
from capexport.kernels import litert_delegate


def packed(graph: Graph) -> Graph:
    """Every int8 matrix packed, however few zeros it has."""
    chosen = {
        name: replace(constant, packed=True)
        for name, constant in graph.constants.items()
        if constant.quantization is not None
    }
    assert chosen
    return graph.replace_constants(chosen)


def open_packed(data: bytes) -> Interpreter:
    """LiteRT with our delegate, as the runtime opens a packed bundle, and its own default one."""
    delegate = load_delegate(*litert_delegate(take="packed"))
    return Interpreter(model_content=data, num_threads=1, experimental_delegates=[delegate])
