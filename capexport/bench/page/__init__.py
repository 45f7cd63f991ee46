"""Reports -> one self-contained HTML page: plots, the numbers behind them, and their kinds."""

from capexport.bench.page.document import html_page

__all__ = ["html_page"]
