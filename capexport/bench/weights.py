"""A manifest -> what a report says of the weights: how many, how sparse, and how small they are."""

from typing import Any

from capexport.bundle import Manifest

TOTALS = ("parameters", "nnz", "sparsity", "size_bound_bytes")


def weights_of(manifest: Manifest) -> dict[str, Any]:
    """The checkpoint's totals and every matrix of the graphs, as the export noted them.

    Absent what it did not note: bundles of older versions, or of other programs.
    """
    provenance = manifest.provenance
    found = {name: provenance[name] for name in TOTALS if name in provenance}
    graphs = provenance.get("graphs")
    layers = [
        {"graph": graph, **layer}
        for graph, one in (graphs if isinstance(graphs, dict) else {}).items()
        for layer in one.get("layers", ())
    ]
    return {**found, **({"layers": layers} if layers else {})}
