"""Characters that nobody sees and that part no word."""

from __future__ import annotations

from typing import Final

MARKS: Final = (
    "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e01ef"
)
"""For a character class: the soft hyphen, joiners, marks of direction, variation selectors, tags, and noncharacters
that programs use as marks. A joiner inside an emoji is one as well: for finding names it does not matter."""
