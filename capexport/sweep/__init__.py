"""A grid of checkpoints, forms, runtimes and devices -> reports and tables, here or on a cluster.

`run.py` needs the exporter and is imported apart: a cluster's worker measures without it.
"""

from capexport.sweep.suite import Cell, Model, read_suite
from capexport.sweep.task import Failure, Measure, Result, Task, measure_here

__all__ = ["Cell", "Failure", "Measure", "Model", "Result", "Task", "measure_here", "read_suite"]
