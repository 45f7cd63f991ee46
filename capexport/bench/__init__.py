"""A bundle on a device -> latency, memory, footprint and counts, each number with its kind."""

from capexport.bench.card import card
from capexport.bench.compare import Comparison, compare, differences, fell_short
from capexport.bench.measurement import UnfinishedError
from capexport.bench.page import html_page
from capexport.bench.report import Report, read_report, write_report
from capexport.bench.run import bench
from capexport.bench.settings import Settings

__all__ = [
    "Comparison",
    "Report",
    "Settings",
    "UnfinishedError",
    "bench",
    "card",
    "compare",
    "differences",
    "fell_short",
    "html_page",
    "read_report",
    "write_report",
]
