"""Characters that nobody sees, and that would hide a name from every rule: `ada.lind\u200b@example.org`.

Detectors read a text without them; what they find is put back to the text as it is, with what stood inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from kubepipe.privacy.entities.model import Span
from kubepipe.privacy.entities.unseen import MARKS

# Controls but tab and line ends, and marks.
_UNSEEN: Final = re.compile(f"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f{MARKS}]+")
_PARTS: Final = re.compile(r"(?<=[^\s\x00-\x1f])[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f](?=[^\s\x00-\x1f\x7f-\x9f])")
"""A control between two characters that can be seen: it parts them, as a blank does."""
_BREAKS: Final = str.maketrans(dict.fromkeys("\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029", "\n"))
"""Controls that part words: they become line ends, one for one."""


@dataclass(frozen=True, slots=True)
class Visible:
    """What of a text can be seen.

    Attributes:
        text: The text without what cannot be seen.
        places: Place of each of its characters in the text as it is; empty where nothing was left out.
    """

    text: str
    places: tuple[int, ...] = ()

    def restored(self, spans: Iterable[Span]) -> list[Span]:
        """Spans with offsets in the text as it is."""
        if not self.places:
            return list(spans)
        return [
            replace(span, start=self.places[span.start], end=self.places[span.end - 1] + 1)
            for span in spans
            if span.start < span.end
        ]


def visible(text: str) -> Visible:
    """The visible part of a text."""
    # Some marks count as printable.
    if text.isprintable() and _UNSEEN.search(text) is None:
        return Visible(text)
    parted = _PARTS.sub(" ", text.translate(_BREAKS))
    if _UNSEEN.search(parted) is None:
        return Visible(parted)
    kept = [place for place, character in enumerate(parted) if _UNSEEN.match(character) is None]
    return Visible("".join(parted[place] for place in kept), tuple(kept))
