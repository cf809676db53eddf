"""Builds HTML and SVG in which every text is escaped and every element is closed.

The output is well-formed XML as well as HTML5, so that a plain XML parser can check a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Final

_VOID: Final = frozenset({"br", "circle", "hr", "line", "link", "meta", "path", "polyline", "rect"})
# Characters that neither HTML nor XML may hold, and that a data set can bring along.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """Text that is markup already and is not escaped again."""

    __slots__ = ()


Child = str | Markup | None | Iterable["Child"]
Attribute = str | float | None


def element(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """An element.

    Args:
        tag: Name of the element.
        children: Texts (escaped), markup (kept), None (left out), or iterables of them.
        attributes: Attributes; an underscore stands for a hyphen, one at the end is dropped (`class_`), None leaves the
            attribute out.
    """
    opened = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(_plain(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID and not children:
        return Markup(f"<{tag}{opened}/>")
    return Markup(f"<{tag}{opened}>{join(*children)}</{tag}>")


def join(*children: Child) -> Markup:
    """Children one after the other, texts escaped."""
    return Markup("".join(_pieces(children)))


def text(value: str) -> Markup:
    """A text made safe for elements and attributes."""
    return value if isinstance(value, Markup) else Markup(escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", value)))


def _pieces(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if child is None:
            continue
        if isinstance(child, str):
            yield text(child)
            continue
        yield from _pieces(child)


def _plain(value: str | float) -> str:
    """An attribute's value; coordinates are rounded, for nobody sees a hundredth of a pixel."""
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
