"""The page's plots of size against its bound, of matrices, and of quality, size and time."""

import itertools
import random
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from bench.reports import COUNTED, KNOWN, REPORT
from bench.test_page import Node, parsed
from PIL import Image

from capexport.bench.page import html_page
from capexport.bench.page.tradeoff import dominates
from capexport.bench.report import Report

CHROMIUM = shutil.which("chromium")
WIDTH, HEIGHT = 1000, 6000
COLOURS = {
    "on the front": (0xE0, 0x82, 0x14),
    "stored": (0x48, 0x78, 0xB0),
    "bound": (0x4A, 0x9B, 0x6E),
}
"""Of the page by day (style.py)."""
STORED_WHOLE = replace(
    KNOWN, weights={"layers": [{**layer, "stored_bytes": 200} for layer in KNOWN.weights["layers"]]}
)


def drawing(page: Node, name: str) -> Node:
    return next(svg for svg in page.every("svg") if svg.attributes["aria-label"] == name)


def with_tradeoff(size: float, ms: float, quality: float) -> Report:
    return replace(
        KNOWN,
        footprint_bytes={**KNOWN.footprint_bytes, "model": int(size * 1e6)},
        latency_ms={"caption": ((ms,),)},
        quality={**KNOWN.quality, "metrics": {"CIDEr-D": quality}},
    )


def test_what_is_stored_lies_over_its_bound() -> None:
    page = parsed(STORED_WHOLE)
    stored, rest, bound = drawing(page, "stored against the bound, MB").every("rect")
    widths = [float(one.attributes["width"] or "") for one in (stored, rest, bound)]
    assert widths[0] / widths[1] == pytest.approx(400 / 100, abs=0.01)
    assert widths[0] / widths[2] == pytest.approx(400 / 207, abs=0.01)
    assert "2.42 x the bound" in page.words


def test_matrices_are_drawn_by_graph_and_what_is_not_known_is_left_out() -> None:
    page = parsed(KNOWN)
    chart = drawing(page, "matrices of 1: litert, kB")
    assert "att_embed.weight" in chart.words
    assert "logit.weight" not in chart.words  # how much a stock-sparse file holds is its format's
    rows = [row for table in page.every("table") for row in table.every("tr")]
    assert any("logit.weight" in row.words and "80" in row.words for row in rows)
    labels = [svg.attributes["aria-label"] for svg in page.every("svg")]
    assert "stored against the bound, MB" not in labels


def test_a_bundle_that_was_measured_twice_is_drawn_once() -> None:
    page = parsed(STORED_WHOLE, replace(STORED_WHOLE, settings={**KNOWN.settings, "beam": 5}))
    assert len(list(drawing(page, "stored against the bound, MB").every("rect"))) == 3


def test_the_best_tradeoffs_are_filled() -> None:
    reports = [with_tradeoff(1, 5, 1.0), with_tradeoff(2, 5, 1.0), with_tradeoff(3, 9, 1.5)]
    page = parsed(*reports)
    for name in ("CIDEr-D over model, MB", "CIDEr-D over caption, ms"):
        chart = drawing(page, name)
        assert len(list(chart.every("circle", "front"))) == 2
        (behind,) = chart.every("circle", "behind")
        assert behind.words.startswith("2: litert")


def test_a_report_without_quality_is_in_no_tradeoff() -> None:
    assert "Quality, size and time" not in parsed(REPORT).words
    page = parsed(with_tradeoff(1, 5, 1.0), REPORT)
    assert len(list(drawing(page, "CIDEr-D over model, MB").every("circle"))) == 1


def test_counted_reports_have_instructions_for_time() -> None:
    counted = replace(
        COUNTED,
        counts={"caption": {"instructions": 5_000_000}},
        quality=KNOWN.quality,
        footprint_bytes={"model": 100},
    )
    assert drawing(parsed(counted), "CIDEr-D over caption, M instructions")


def test_the_front_is_what_nothing_dominates() -> None:
    """Against the definition, on random points with many ties."""
    draw = random.Random(0)
    points = [tuple(float(draw.randrange(4)) for _ in range(3)) for _ in range(60)]
    for one, other in itertools.product(points, repeat=2):
        better = [one[0] < other[0], one[1] < other[1], one[2] > other[2]]
        worse = [one[0] > other[0], one[1] > other[1], one[2] < other[2]]
        assert dominates(one, other) == (any(better) and not any(worse))  # type: ignore[arg-type]


@pytest.mark.skipif(CHROMIUM is None, reason="no browser: apt install chromium")
def test_a_browser_shows_the_plots(tmp_path: Path) -> None:
    page, shot = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text(html_page([STORED_WHOLE, with_tradeoff(1, 5, 1.0)]), encoding="utf-8")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={WIDTH},{HEIGHT}"]
    command += ["--blink-settings=preferredColorScheme=1", f"--screenshot={shot}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    pixels = Image.open(shot).convert("RGB").getcolors(WIDTH * HEIGHT)
    assert pixels is not None
    seen = {colour: count for count, colour in pixels}
    for name, colour in COLOURS.items():
        assert seen.get(colour, 0) > 50, f"nothing is drawn in the colour of what is {name}"
