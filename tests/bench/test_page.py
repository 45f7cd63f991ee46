"""The page of reports: well formed, self-contained, kinds apart, hostile text only text."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

import pytest
from bench.reports import COUNTED, REPORT

from capexport.bench.page import html_page
from capexport.bench.page.chart import LABELS, PLOT, TICKS, Bar, Samples, axis_ticks
from capexport.bench.page.markup import text
from capexport.bench.report import Report

VOID = {"meta"}
HOSTILE = "\"'><script>alert(1)</script>\x00\N{RIGHT-TO-LEFT OVERRIDE}\ud800"
ESTIMATED = replace(
    COUNTED,
    counts={"encoder": {"instructions": 5_000_000, "sdot": 2_000_000, "branch": 3_000_000}},
    estimate={
        "kind": "model-estimate",
        "cores": {
            "cortex-a55": {
                "stands_for": "Cortex-A55",
                "ghz": 2.0,
                "parts": {"encoder": {"ms": 1.5, "covered": 0.9}},
            }
        },
        "assumes": ["nothing is late"],
    },
)
SIZED = replace(REPORT, footprint_bytes={"encoder": 6, "decoder_step": 3, "model": 10})


@dataclass
class Node:
    """An element, with its text where it stands among its children."""

    tag: str
    attributes: dict[str, str | None]
    children: list["Node | str"] = field(default_factory=list)

    def every(self, tag: str, class_: str | None = None) -> Iterator["Node"]:
        for child in self.children:
            if isinstance(child, Node):
                if child.tag == tag and class_ in (None, child.attributes.get("class")):
                    yield child
                yield from child.every(tag, class_)

    @property
    def words(self) -> str:
        return " ".join(c if isinstance(c, str) else c.words for c in self.children)

    def with_id(self, name: str) -> "Node | None":
        return next((n for n in self.every("section") if n.attributes.get("id") == name), None)


class Tree(HTMLParser):
    """A parser that insists on closed elements."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in {tag}"
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(*reports: Report) -> Node:
    tree = Tree()
    tree.feed(html_page(reports))
    tree.close()
    (root,) = tree.open
    return root


def part(page: Node, kind: str) -> Node:
    found = page.with_id(kind)
    assert found is not None
    return found


def headings(node: Node) -> list[str]:
    return [one.words for one in node.every("h3")]


def test_the_page_needs_no_other_file_and_runs_nothing() -> None:
    page = parsed(SIZED, ESTIMATED)
    tags = {node.tag for tag in ("script", "link", "img", "iframe") for node in page.every(tag)}
    assert not tags
    policies = [m.attributes["content"] for m in page.every("meta") if "http-equiv" in m.attributes]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    style = next(page.every("style")).words
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_every_sample_is_a_dot() -> None:
    page = parsed(REPORT)
    drawings = list(part(page, "measured-host").every("svg"))
    latencies = [one for one in drawings if list(one.every("circle"))]
    assert [len(list(one.every("circle"))) for one in latencies] == [3, 3, 3]
    assert [len(list(one.every("line", "median"))) for one in latencies] == [1, 1, 1]
    assert [one.attributes["aria-label"] for one in latencies] == [
        "encoder, one image, ms",
        "decoder step, all beams, ms",
        "caption, encoder included, ms",
    ]


def test_reports_of_one_kind_lie_side_by_side() -> None:
    page = parsed(REPORT, replace(REPORT, latency_ms={"encoder": ((4.0,), (5.0,))}))
    first = next(part(page, "measured-host").every("svg"))
    assert len(list(first.every("circle"))) == 5
    assert "1: litert" in first.words
    assert "2: litert" in first.words


def test_kinds_are_kept_apart() -> None:
    phone = replace(REPORT, kind="measured-device", settings={"runtime": "phone"})
    counted = replace(ESTIMATED, settings={"runtime": "emulator"})
    page = parsed(REPORT, counted, phone)
    names = {"measured-host": "1: litert", "emulated-counts": "2: emulator"}
    names |= {"measured-device": "3: phone", "model-estimate": "2: emulator"}
    for kind, own in names.items():
        drawings = list(part(page, kind).every("svg"))
        assert drawings
        for drawing in drawings:
            assert own in drawing.words
            assert not [other for other in {*names.values()} - {own} if other in drawing.words]
    inside = sum(len(list(part(page, kind).every("svg"))) for kind in names)
    assert inside == len(list(page.every("svg")))


def test_an_estimate_is_labelled_and_no_part_of_the_counts() -> None:
    page = parsed(ESTIMATED)
    estimate = part(page, "model-estimate")
    assert "model-estimate" in next(estimate.every("h2")).words
    assert "1.5 ms (90%)" in estimate.words
    assert "nothing is late" in estimate.words
    counted = part(page, "emulated-counts")
    assert " ms" not in counted.words
    assert headings(counted) == ["Instructions", "Size"]


def test_what_was_not_measured_is_absent() -> None:
    page = parsed(REPORT)
    assert headings(page) == ["Latency", "Memory", "Size"]
    assert page.with_id("emulated-counts") is None
    assert page.with_id("model-estimate") is None
    bare = replace(REPORT, latency_ms={}, memory={}, footprint_bytes={})
    assert not list(parsed(bare).every("svg"))
    assert "Memory" not in headings(parsed(bare))


def test_what_is_not_valid_is_marked_wherever_it_is_drawn() -> None:
    page = parsed(SIZED, replace(SIZED, doubts=("too hot", "too few")))
    (alert,) = page.every("div", "invalid")
    assert "2: litert is not valid" in alert.words
    assert [one.words for one in alert.every("li")] == ["too hot", "too few"]
    for drawing in page.every("svg"):
        rows = list(drawing.every("g"))
        marked = [row for row in rows if "not valid" in row.words]
        assert len(marked) == len(rows) / 2
        assert all("2: litert" in row.words for row in marked)
    assert not list(parsed(SIZED).every("div", "invalid"))


def test_segments_add_up_to_the_model() -> None:
    page = parsed(SIZED)
    files = next(s for s in page.every("svg") if s.attributes["aria-label"] == "model files, MB")
    widths = [float(rect.attributes["width"] or "") for rect in files.every("rect")]
    assert widths == pytest.approx([PLOT * 0.6, PLOT * 0.3, PLOT * 0.1], abs=0.02)
    assert next(files.every("rect")).attributes["x"] == f"{LABELS:.2f}"


def test_hostile_text_stays_text() -> None:
    hostile = Report(
        kind="emulated-counts",
        device={"name": HOSTILE, "core_names": {HOSTILE: 1}},
        bundle_sha256=HOSTILE,
        settings=dict.fromkeys(
            ("architecture", "weights", "runtime", "beam", "threads", "input", "recipe"), HOSTILE
        ),
        output={"text": HOSTILE, "as_expected": False},
        latency_ms={"encoder": ((1.0,),)},
        memory={"peak_rss_kib": 1},
        counts={"encoder": {"instructions": 1, HOSTILE: 2}},
        estimate={
            "cores": {
                HOSTILE: {
                    "stands_for": HOSTILE,
                    "ghz": HOSTILE,
                    "parts": {"encoder": {"ms": 1, "covered": 1}},
                }
            },
            "assumes": [HOSTILE],
        },
        doubts=(HOSTILE,),
    )
    html_page([hostile]).encode("utf-8")
    page = parsed(hostile)
    assert not list(page.every("script"))
    assert page.words.count("<script>alert(1)</script>") >= 15
    assert "\x00" not in html_page([hostile])
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in html_page([hostile])


def test_text_is_escaped_for_attributes_too() -> None:
    assert text("a\"b'c<d>&\n") == "a&quot;b&#x27;c&lt;d&gt;&amp;\N{REPLACEMENT CHARACTER}"
    assert text("Wörter 日本") == "Wörter 日本"


@pytest.mark.parametrize("most", [1e-9, 0.0371, 0.5, 1, 1.01, 4.999, 5, 7, 10, 13, 99.9, 3e12])
def test_ticks_reach_the_largest_value_and_not_much_more(most: float) -> None:
    ticks = axis_ticks(most)
    step = ticks[1]
    assert ticks[0] == 0
    assert ticks[-1] >= most * (1 - 1e-9)
    assert ticks[-1] - step < most
    assert len(ticks) <= TICKS
    assert f"{step:.0e}"[0] in "125"


def test_an_axis_of_nothing_but_zeros_has_a_length() -> None:
    assert axis_ticks(0) == axis_ticks(5e-324) == [0, 1]
    bar = Bar("none", True, "0", (("zero", 0.0, 0),))
    assert 'width="0.00"' in "".join(bar.draw(lambda value: value))


def test_samples_go_down_their_row_in_the_order_they_were_taken() -> None:
    drawn = "".join(Samples("one", True, "", ((3.0,), (1.0, 2.0))).draw(lambda value: value))
    tree = Tree()
    tree.feed(drawn)
    dots = [node.attributes for node in tree.open[0].every("circle")]
    assert [float(dot["cx"] or "") for dot in dots] == [3, 1, 2]
    heights = [float(dot["cy"] or "") for dot in dots]
    assert heights == sorted(heights)
