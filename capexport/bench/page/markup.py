"""HTML and SVG elements as strings; whatever a report says is text in them, never markup."""

from collections.abc import Iterable, Sequence
from html import escape

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def text(value: object) -> str:
    """Escaped for text and quoted attributes; what cannot be seen (controls, bidi) is replaced."""
    return escape("".join(c if c.isprintable() else REPLACEMENT for c in str(value)))


def element(tag: str, *children: str, **attributes: object) -> str:
    """`<tag ...>children</tag>`: children are markup, attributes are escaped here.

    `class_` is class, and an underscore in any other name is a hyphen.
    """
    pairs = (
        f' {name.rstrip("_").replace("_", "-")}="{text(value)}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{''.join(pairs)}>{''.join(children)}</{tag}>"


def table(columns: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table of text; the first cell of each row is its heading."""
    head = element("tr", *(element("th", text(name), scope="col") for name in columns))
    body = (
        element(
            "tr",
            element("th", text(first), scope="row"),
            *(element("td", text(cell)) for cell in cells),
        )
        for first, *cells in rows
    )
    whole = element("table", element("thead", head), element("tbody", *body))
    return element("div", whole, class_="wide")
